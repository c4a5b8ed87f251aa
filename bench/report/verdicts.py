# SPDX-License-Identifier: MIT
"""Whether a ratio is a difference: the one place that says win, loss or neither."""

from report import noise

WIN, LOSS, SAME, UNTOLD = "win", "loss", "same", "untold"
OF_THE_CLOCK = ("time", "metric")  # kinds that a noisy machine changes, or may change


def floor(report):
    """The share below which the report's differences in time can't be told; 0.0 for none."""
    return noise.min_difference(report.noise)


def judge(ratio, kind, min_difference=0.0, higher=False):
    """Of the subject's figure to another's; `higher`: more is better. UNTOLD: too few rounds.

    `min_difference`: floor(report), the share of a figure to the other's, as it is shown: 0.6 is 40 % less, and
    can't be told where differences below 40 % can't.
    """
    if ratio.low is None:
        return UNTOLD
    if ratio.is_same or (kind in OF_THE_CLOCK and abs(ratio.value - 1) <= min_difference):
        return SAME
    return LOSS if (ratio.value > 1) != higher else WIN
