"""Kinds of values on the command line that several commands take."""

import argparse


def whole_number(least, most=None):
    """A type for argparse: a number of `least` or more, up to `most`."""
    allowed = f"of {least} or more" if most is None else f"from {least} to {most}"

    def number(text):
        value = int(text) if text.isdecimal() else -1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {allowed}")
        return value

    return number
