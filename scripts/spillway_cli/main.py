"""The command line: subcommands, the split at `--`, and how errors reach the user.

Each subcommand is a module with `add_parser(subparsers)`, which sets `handler(arguments)`; the
handler returns the exit status. What follows `--` is in `arguments.command`, untouched; a
subcommand that wants it says so with `takes_command`.
"""

import argparse
import os
import sys

from spillway_cli import check, ctl, goals, licenses, profile, ps, record, replay, run, tables
from spillway_cli.ab import command as ab
from spillway_cli.errors import UserError, usage_error
from spillway_cli.top import command as top

USAGE_STATUS = 2


def split_command(argv):
    """(our arguments, the user's command): everything after the first `--` is the command."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def make_parser():
    parser = argparse.ArgumentParser(
        prog="spillway", description="Runs programs under Spillway, watches, checks and compares it."
    )
    parser.set_defaults(takes_command=False)
    subparsers = parser.add_subparsers(metavar="SUBCOMMAND", dest="subcommand", required=True)
    for module in (
        run, check, ps, top, ctl, profile, ab, goals, record, replay, tables, licenses
    ):  # fmt: skip
        module.add_parser(subparsers)
    return parser


def main(argv):
    own, command = split_command(argv)
    arguments = make_parser().parse_args(own)
    arguments.command = command
    try:
        if command and not arguments.takes_command:
            raise usage_error(f"{arguments.subcommand}: takes no command after --")
        status = arguments.handler(arguments)
        sys.stdout.flush()
        return status
    except UserError as error:
        print(f"spillway: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:  # the reader, such as `head`, has what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
