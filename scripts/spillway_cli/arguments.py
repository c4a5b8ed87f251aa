# SPDX-License-Identifier: MIT
"""What several commands take on the command line: kinds of values, a command to run."""

import argparse

from spillway_cli.errors import usage_error

MIN_SECONDS, MAX_SECONDS = 0.05, 86400


def whole_number(minimum, maximum=None):
    """A type for argparse: a number of `minimum` or more, up to `maximum`."""
    allowed = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"

    def number(text):
        value = int(text) if text.isdecimal() else -1
        if value < minimum or (maximum is not None and value > maximum):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {allowed}")
        return value

    return number


def seconds_up_to(maximum):
    """A type for argparse."""

    def number(text):
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not MIN_SECONDS <= value <= maximum:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {MIN_SECONDS} to {maximum}")
        return value

    return number


seconds = seconds_up_to(MAX_SECONDS)


def command_parser(subparsers, name, handler, usage="[options] -- COMMAND...", **more):
    """The parser of a subcommand that takes a command behind `--`."""
    parser = subparsers.add_parser(name, usage=f"spillway {name} {usage}", **more)
    parser.set_defaults(handler=handler, takes_command=True)
    return parser


def require_command(arguments):
    if not arguments.command:
        name = arguments.subcommand
        raise usage_error(f"{name}: no command; usage: spillway {name} [options] -- COMMAND...")
