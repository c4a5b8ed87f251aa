# SPDX-License-Identifier: MIT
"""A metric of the user's own: a number in a program's output, found by a pattern."""

import argparse
import contextlib
import dataclasses
import math
import mmap
import re

NAME = re.compile(r"[\w./%+-]{1,12}")
TAKEN = ("wall", "cpu", "peak", "faults", "left")  # the measures that every report has
DIRECTIONS = ("lower", "higher")


class Missing(Exception):
    """The output has no such number; the text says so."""


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    pattern: str
    higher: bool  # whether more is better

    def find(self, *files):
        """The last match in the first of the open files that has one."""
        for file in files:
            text = _last(self.pattern, file)
            if text is not None:
                return self._number(text)
        raise Missing(f"its output has no {self.name}: nothing matches {self.pattern}")

    def _number(self, text):
        shown = text.decode(errors="replace")
        try:
            value = float(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", shown))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            raise Missing(f"its {self.name}, '{shown}', is not a number of 0 or more")
        return value


def _last(pattern, file):
    """The group of the last match as bytes; None without a match. The file is not read into memory."""
    with contextlib.ExitStack() as stack:
        try:
            text = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:  # empty
            return None
        found = None
        for match in re.finditer(pattern.encode(), text, re.MULTILINE):
            found = match[1] or b""
        return found


def metric(text):
    """A type for argparse: NAME=REGEX, NAME=REGEX:lower or NAME=REGEX:higher."""
    name, equals, pattern = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not NAME=REGEX with a NAME of up to 12 letters, digits, '.', '/', '%', '+', '-'"
        )
    if name in TAKEN:
        raise argparse.ArgumentTypeError(f"'{name}' is a measure that every report has")
    before, colon, direction = pattern.rpartition(":")
    if colon and direction in DIRECTIONS:
        pattern = before
    else:
        direction = "lower"
    try:
        groups = re.compile(pattern.encode(), re.MULTILINE).groups
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{pattern}' is not a regular expression: {error}") from None
    if groups < 1:
        raise argparse.ArgumentTypeError(f"'{pattern}' has no group: write ( and ) round the number")
    return Metric(name, pattern, direction == "higher")
