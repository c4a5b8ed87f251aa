# SPDX-License-Identifier: MIT
"""Figures, ratios and intervals as short text."""


# (limit, digits behind the point of a value below it)
SMALLER_THAN = ((0.00995, 5), (0.0995, 4), (0.995, 3), (9.995, 2), (99.95, 1))


def number(value):
    """Three digits that matter; thousands and more with a letter: 0.0123, 1.23, 12.3, 1230, 12.3k."""
    for limit, divisor, letter in ((9999.5, 1, ""), (999.5e3, 1e3, "k"), (999.5e6, 1e6, "M")):
        if abs(value) < limit:
            return _digits(value / divisor) + letter
    return _digits(value / 1e9) + "G"


def _digits(value):
    if value == 0:
        return "0"
    for limit, digits in SMALLER_THAN:
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def tick(value):
    """On an axis: no more digits than it takes."""
    text = number(value)
    digits = text.rstrip("kMG")
    short = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return short + text[len(digits) :]


def interval(figure, between=" to "):
    """Of a Figure or a Ratio; empty without one."""
    return "" if figure.low is None else f"{number(figure.low)}{between}{number(figure.high)}"


def ratio(value):
    """`0.83`, without its interval."""
    return number(value.value) if value.value < 1000 else "over 1000"


def percent(share):
    """`17 %`, at least two digits that matter below one."""
    return f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1f} %"
