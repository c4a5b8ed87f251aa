# SPDX-License-Identifier: MIT
"""What several commands take on the command line: kinds of values, a command to run."""

import argparse

from spillway_cli.errors import usage_error

SHORTEST, LONGEST = 0.05, 86400  # seconds


def whole_number(least, most=None):
    """A type for argparse: a number of `least` or more, up to `most`."""
    allowed = f"of {least} or more" if most is None else f"from {least} to {most}"

    def number(text):
        value = int(text) if text.isdecimal() else -1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {allowed}")
        return value

    return number


def seconds(text):
    """A type for argparse: how long to wait between two looks at a process."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not SHORTEST <= value <= LONGEST:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from {SHORTEST} to {LONGEST}")
    return value


def require_command(arguments):
    if not arguments.command:
        name = arguments.subcommand
        raise usage_error(f"{name}: no command; usage: spillway {name} [options] -- COMMAND...")
