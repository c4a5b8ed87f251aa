# SPDX-License-Identifier: MIT
"""The command line: subcommands, the split at `--`, and how errors reach the user.

Each subcommand is a module with `add_parser(subparsers)`, which sets `handler(arguments)`; the
handler returns the exit status. What follows `--` is in `arguments.command`, untouched; a
subcommand that wants it says so with `takes_command`.
"""

import os
import sys

from spillway_cli import (
    check, ctl, goals, licenses, profile, ps, record, replay, run, tables, version
)  # fmt: skip
from spillway_cli.ab import command as ab
from spillway_cli.doctor import command as doctor
from spillway_cli.errors import UserError, described, usage_error
from spillway_cli.parser import Parser, with_dashes
from spillway_cli.top import command as top

USAGE_STATUS = 2


def split_command(argv):
    """(our arguments, the user's command): everything after the first `--` is the command."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def make_parser():
    parser = Parser(
        prog="spillway", description="Runs programs under Spillway, watches, checks and compares it."
    )
    parser.add_argument("--version", action="store_true", help="of this command and of the library")
    parser.set_defaults(takes_command=False)
    subparsers = parser.add_subparsers(metavar="SUBCOMMAND", dest="subcommand")
    for module in (
        run, check, doctor, ps, top, ctl, profile, ab, goals, record, replay, tables, licenses
    ):  # fmt: skip
        module.add_parser(subparsers)
    return parser, subparsers.choices


def parse(argv):
    own, command = split_command(argv)
    parser, subcommands = make_parser()
    try:
        arguments = parser.parse_args(own)
    except UserError:
        known = subcommands.get(own[0]) if own else None
        if command or known is None or not known.get_default("takes_command"):
            raise
        better = with_dashes(own, known._actions)
        if better is None:
            raise
        raise usage_error(f"{own[0]}: the command stands after --: {better}") from None
    arguments.command = command
    return arguments


def main(argv):
    try:
        arguments = parse(argv)
        command = arguments.command
        if arguments.version:
            print("\n".join(version.lines()))
            return 0
        if arguments.subcommand is None:
            raise usage_error("no subcommand; spillway -h lists them")
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
    except ImportError as error:
        if error.name != "numpy":
            raise
        print("spillway: intervals take Debian's package python3-numpy", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"spillway: {described(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
