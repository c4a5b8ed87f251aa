# SPDX-License-Identifier: MIT
"""What a report says, as data: the measurement fills it in, words.py, plots.py and page.py show it.

Lower is better in every row but those with `higher`. An allocator is named by its name throughout; the order of
`Report.allocators` is that of the page's bars and columns.
"""

import dataclasses
from dataclasses import field

KINDS = ("time", "memory", "count", "metric")  # the last: of a user's own, which may be anything


@dataclasses.dataclass(frozen=True)
class Figure:
    """A median and its 95 % interval."""

    value: float
    low: float | None = None  # None: too few samples
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    unit: str
    kind: str  # one of KINDS
    figures: dict  # allocator -> Figure
    ratios: dict  # allocator -> statistics.Ratio of the subject's figure to its; not of the subject
    about: str = ""
    # Optional, allocator -> Ratio of its figure to the baseline's, for the plot of speed against
    # memory; where it is missing the interval is estimated from the figures, and wider.
    against_baseline: dict = field(default_factory=dict)
    higher: bool = False  # whether more is better

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"a row's kind is one of {', '.join(KINDS)}, not '{self.kind}'")


@dataclasses.dataclass(frozen=True)
class Curve:
    title: str
    x_label: str
    y_label: str
    lines: dict  # allocator -> [(x, y)]
    x_log: bool = False
    y_log: bool = False


@dataclasses.dataclass(frozen=True)
class Section:
    title: str
    about: str
    rows: list = field(default_factory=list)
    curves: list = field(default_factory=list)
    table: str | None = None  # preformatted, as a terminal shows it
    notes: list = field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Report:
    title: str
    made: str  # ISO 8601
    subject: str  # the allocator that the report is about
    baseline: str  # the one that everybody knows
    machine: list  # [(name, text)]
    allocators: list  # [(name, version, file)]
    sections: list
    warnings: list = field(default_factory=list)  # interruption, what failed or was left out
    goals: list | None = None  # [(work, goal, measured, result, at)], all text
    noise: float | None = None  # Noise.spread(): what the machine itself varied by, 0.05 is 5 %

    def names(self):
        return [name for name, _, _ in self.allocators]

    def rows(self, kind=None):
        """[(section, row)] in the page's order."""
        return [
            (section, row)
            for section in self.sections
            for row in section.rows
            if kind is None or row.kind == kind
        ]
