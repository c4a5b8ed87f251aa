# SPDX-License-Identifier: MIT
"""Geometric means of ratios over the rows of a report, with intervals from those of the ratios."""

import collections
import math

from report.statistics import Ratio


def combined(named):
    """The geometric mean of (row's name, Ratio).

    Errors of rows with different names are taken as independent, those of rows with the same name, such
    as wall and processor time of one program, as the same.
    """
    if not named:
        raise ValueError("a mean of nothing")
    ratios = [ratio for _, ratio in named]
    value = math.exp(sum(math.log(ratio.value) for ratio in ratios) / len(ratios))
    if any(ratio.low is None for ratio in ratios):
        return Ratio(value)
    down, up = collections.Counter(), collections.Counter()
    for name, ratio in named:
        down[name] += math.log(ratio.value / ratio.low) / len(ratios)
        up[name] += math.log(ratio.high / ratio.value) / len(ratios)
    low, high = (math.exp(math.hypot(*widths.values())) for widths in (down, up))
    return Ratio(value, value / low, value * high)


def of_subject(report, kind):
    """{peer: (Ratio of the subject's figures to its, number of rows)}"""
    return _each(report, kind, lambda row, name: None if name == report.subject else row.ratios.get(name))


def to_baseline(report, kind):
    """{allocator: (Ratio of its figures to the baseline's, number of rows)}, the baseline included."""
    return _each(report, kind, lambda row, name: _to_baseline(row, name, report))


def _each(report, kind, ratio_of):
    found = {}
    for name in report.names():
        ratios = [(row.name, ratio_of(row, name)) for _, row in report.rows(kind)]
        ratios = [(row, ratio) for row, ratio in ratios if ratio is not None]
        if ratios:
            found[name] = (combined(ratios), len(ratios))
    return found


def _to_baseline(row, name, report):
    base, own = row.figures.get(report.baseline), row.figures.get(name)
    if base is None or own is None or min(base.value, own.value) <= 0:
        return None
    if name == report.baseline:
        return Ratio(1.0, 1.0, 1.0)
    if name in row.against_baseline:
        return row.against_baseline[name]
    if name == report.subject and report.baseline in row.ratios:
        return row.ratios[report.baseline]
    value = own.value / base.value
    if own.low is None or base.low is None or min(own.low, base.low) <= 0:
        return Ratio(value)
    down = math.hypot(math.log(own.value / own.low), math.log(base.high / base.value))
    up = math.hypot(math.log(own.high / own.value), math.log(base.value / base.low))
    return Ratio(value, value * math.exp(-down), value * math.exp(up))
