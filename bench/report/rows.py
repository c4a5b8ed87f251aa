# SPDX-License-Identifier: MIT
"""A row of a report from the values of its rounds: medians, intervals, ratios."""

from report import model
from report.statistics import median_interval, paired_ratio


def ratio(values, others):
    """By pairs of rounds; None without pairs, or below zero, where a slope may fall."""
    if len(values) != len(others) or min(*values, *others) < 0:
        return None
    return paired_ratio(values, others)


def row(name, unit, kind, values, subject, baseline, **more):
    """values: allocator -> a value for each round; more: other fields of model.Row."""
    return model.Row(
        name=name,
        unit=unit,
        kind=kind,
        figures={one: median_interval(of_one) for one, of_one in values.items()},
        ratios=_ratios(values, lambda one: (subject, one), subject),
        against_baseline=_ratios(values, lambda one: (one, baseline), baseline),
        **more,
    )


def _ratios(values, pair, constant):
    """{name: ratio of the pair's values} of all but `constant`, where there are such."""
    if constant not in values:
        return {}
    found = {one: ratio(*(values[name] for name in pair(one))) for one in values if one != constant}
    return {one: value for one, value in found.items() if value is not None}
