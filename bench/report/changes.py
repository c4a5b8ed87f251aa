# SPDX-License-Identifier: MIT
"""What is different between then and now: figures, their ratio with its interval, and what it comes to."""

import collections
import dataclasses
import textwrap

from report import verdicts
from report.columns import WIDTH
from report.statistics import Ratio

NAME = 33  # width of a row's name
LOWER = {verdicts.WIN: "lower", verdicts.LOSS: "higher", verdicts.SAME: "~", verdicts.UNTOLD: "?"}
BETTER = {verdicts.WIN: "better", verdicts.LOSS: "worse", verdicts.SAME: "~", verdicts.UNTOLD: "?"}


@dataclasses.dataclass(frozen=True)
class Change:
    name: str
    then: float
    now: float
    ratio: Ratio | None  # of now to then; None where there is none
    verdict: str


def judged(ratio, kind, min_difference, higher=False):
    return verdicts.UNTOLD if ratio is None else verdicts.judge(ratio, kind, min_difference, higher)


def lines(heading, changes, number, words):
    """For a terminal. number: a figure as at most five characters and a sign; words: LOWER or BETTER."""
    shown = [f"{heading:{NAME}}{'then':>9}{'now':>9}  ratio, 95 % interval", "-" * WIDTH]
    for change in changes:
        name = change.name
        if len(name) >= NAME:  # a line of its own
            shown.append(name)
            name = ""
        text = f"{name:{NAME}}{number(change.then):>9}{number(change.now):>9}"
        shown.append(f"{text}  {ratio(change.ratio, number):20} {words[change.verdict]}")
    return shown


def ratio(value, number):
    if value is None:
        return ""
    bounds = "" if value.low is None else f"[{number(value.low)}, {number(value.high)}]"
    return f"{number(value.value):5} {bounds}".rstrip()


def counted(changes, words):
    """The last lines: how many of each; that chance makes some."""
    found = collections.Counter(change.verdict for change in changes)
    win, loss = (words[verdict] for verdict in (verdicts.WIN, verdicts.LOSS))
    text = (f"{found[verdicts.WIN]} rows {win}, {found[verdicts.LOSS]} {loss} beyond noise, "
            f"{found[verdicts.SAME]} neither (~), of {found.total()}; by chance alone one in "
            f"twenty is {win} or {loss}")  # fmt: skip
    if found[verdicts.UNTOLD]:
        text += f"; of {found[verdicts.UNTOLD]} nothing can be told (?): no interval"
    return textwrap.wrap(text, WIDTH)
