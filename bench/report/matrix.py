# SPDX-License-Identifier: MIT
"""Wins and losses of a report's subject beside each other allocator, section by section."""

import dataclasses

from report import columns
from report.numbers import short
from report.verdicts import LOSS, SAME, UNTOLD, WIN, floor, judge

SIGNS = {LOSS: "-", WIN: "+", SAME: "~", UNTOLD: "?"}
ABOUT = (
    "A measure's ratio to the other allocator's figure; of several programs, how many. "
    "Signs: + better, - worse, ~ no difference beyond noise, ? too few rounds to tell."
)
LEGEND = "+ better, - worse, ~ no difference beyond noise, ? too few rounds to tell"


@dataclasses.dataclass(frozen=True)
class Cell:
    counts: dict  # verdict -> rows, of those that there are
    # Of a section with one row.
    ratio: object = None
    higher: bool = False  # whether more is better

    def verdict(self):
        return next(iter(self.counts))

    def text(self):
        """`9+ 2- 4~`; of one row its ratio and the sign."""
        if self.ratio is not None:
            return f"{short(self.ratio.value)} {SIGNS[self.verdict()]}"
        return " ".join(f"{count}{SIGNS[verdict]}" for verdict, count in self.counts.items())


def cells(report):
    """[(section's title, {peer: Cell})] of the sections that compare something, and [peer], in the page's order."""
    lines, min_difference = [], floor(report)
    for section in report.sections:
        found = {}
        for peer in report.names():
            rows = [row for row in section.rows if peer in row.ratios]
            verdicts = [judge(row.ratios[peer], row.kind, min_difference, row.higher) for row in rows]
            if rows:
                counts = {v: verdicts.count(v) for v in (LOSS, WIN, SAME, UNTOLD) if v in verdicts}
                one = len(section.rows) == 1
                found[peer] = Cell(counts, *((rows[0].ratios[peer], rows[0].higher) if one else ()))
        if found:
            lines.append((section.title, found))
    return lines, [peer for peer in report.names() if any(peer in found for _, found in lines)]


def text(report):
    """For a terminal; [] without anything to compare."""
    lines, peers = cells(report)
    if not lines:
        return []
    width = max(len(title) for title, _ in lines)
    of_peer = {p: max(len(p), *(len(f[p].text()) for _, f in lines if p in f)) for p in peers}
    made = [f"{report.subject} beside each, ratio or rows: {LEGEND}"]
    head = "  ".join(f"{peer:>{of_peer[peer]}}" for peer in peers)
    table = [f"  {'':{width}}  {head}"]
    for title, found in lines:
        shown = "  ".join(f"{found[p].text() if p in found else '':>{of_peer[p]}}" for p in peers)
        table.append(f"  {title:{width}}  {shown}".rstrip())
    return [columns.wrapped(made[0]), *table]
