# SPDX-License-Identifier: MIT
"""Tables for a terminal of 80 columns: a line for each allocator, its medians and their ratios to the
baseline's."""

import dataclasses
import statistics
import textwrap

from report.numbers import short
from report.statistics import paired_ratio
from report.verdicts import SAME, judge

WIDTH = 80
NAME, RATIO = 12, 17  # columns


@dataclasses.dataclass(frozen=True)
class Column:
    heading: str
    width: int
    text: callable  # of a median
    kind: str | None = None  # one of report.model.KINDS: with its ratio to the baseline's; None: alone
    higher: bool = False  # whether more is better


def wrapped(text, indent=""):
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )  # fmt: skip


def legend(entries):
    """Lines of (heading, what it means), behind those of a table."""
    texts = [f"{heading}: {meaning}" for heading, meaning in entries]
    return [
        textwrap.fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        for text in [*texts, "All but ratios are medians."]
    ]


def against(baseline):
    """An entry of a legend."""
    return f"against {baseline}", ("ratio and its 95 % interval (bootstrap, paired by round); below 1 is better, "
                                   "~ is no difference beyond noise")  # fmt: skip


def ratio(value, kind="time", min_difference=0.0, higher=False):
    """`0.83 [0.81, 0.85]`; `~` in place of what judge() says is none; no interval: the ratio alone."""
    if value.low is None:
        return short(value.value)
    shown = "~" if judge(value, kind, min_difference, higher) == SAME else short(value.value)
    return f"{shown:<4} [{short(value.low)}, {short(value.high)}]"


def heading(columns, baseline):
    cells = (f"{c.heading:>{c.width}}" + (f" {f'against {baseline}':<{RATIO}}" if c.kind else "") for c in columns)
    return f"  {'':{NAME}}{''.join(cells)}".rstrip()


def line(name, columns, values, base, min_difference=0.0):
    """values: for each column a value of each round; base: the same of the baseline, None for its own line."""
    cells = []
    for at, column in enumerate(columns):
        cells.append(f"{column.text(statistics.median(values[at])):>{column.width}}")
        if column.kind:
            shown = ""
            if base is not None:
                shown = ratio(paired_ratio(values[at], base[at]), column.kind, min_difference, column.higher)
            cells.append(f" {shown:<{RATIO}}")
    return f"  {name:<{NAME}}{''.join(cells)}".rstrip()


def failed(name, reason):
    return wrapped(f"FAILED: {reason}", f"  {name:<{NAME}}")


def not_measured(name):
    return f"  {name:<{NAME}}not measured"
