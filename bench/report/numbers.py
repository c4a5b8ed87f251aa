# SPDX-License-Identifier: MIT
"""Figures, ratios and intervals as short text: number() and what follows it for the page, short(),
seconds() and count() for columns of a terminal."""


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


def short(value):
    """At most four characters below 10000, and a sign: 0.05, 1.23, 12.3, 123."""
    if value < 0:
        return "-" + short(-value)
    for limit, digits in ((9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def seconds(value):
    """At most six characters below 10000."""
    return f"{value:.3f}" if value < 99.9995 else f"{value:.1f}"


def count(value):
    """A whole number in at most five characters."""
    for limit, divisor, unit in ((1e4, 1, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M")):
        if value < limit:
            scaled = value / divisor
            return f"{scaled:.0f}{unit}" if divisor == 1 or scaled >= 100 else f"{scaled:.1f}{unit}"
    return f"{value / 1e9:.0f}G"
