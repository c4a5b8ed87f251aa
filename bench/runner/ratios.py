# SPDX-License-Identifier: MIT
"""The ratio of two allocators' figures in one row, where there is one."""

from report.statistics import paired_ratio


def ratio(figures, others):
    """The Ratio, by pairs of rounds; None without pairs, or below zero, where a slope may fall."""
    if len(figures) != len(others) or min(*figures, *others) < 0:
        return None
    return paired_ratio(figures, others)
