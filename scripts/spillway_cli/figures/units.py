# SPDX-License-Identifier: MIT
"""How figures are written: short, of bounded width, `-` for what is not known.

The widths named here are those of the text for any value up to 2^63.
"""

UNKNOWN = "-"
BYTES_WIDTH, COUNT_WIDTH, PERCENT_WIDTH = 9, 6, 5
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")


def bytes_text(value):
    """`1.5 KiB`, at most BYTES_WIDTH cells; a negative one has its sign in addition."""
    if value is None:
        return UNKNOWN
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < 1024:
        return f"{sign}{int(value)} B"
    scaled, unit = value, 0
    while scaled >= 1023.5 and unit + 1 < len(_BINARY):
        scaled, unit = scaled / 1024, unit + 1
    return f"{sign}{_digits(scaled, 999.95)} {_BINARY[unit]}"


def size_text(value):
    """A block size; exact for the size classes, which are multiples of 512 bytes."""
    return bytes_text(value).replace(".0 ", " ")


def signed_bytes_text(value):
    if value is None:
        return UNKNOWN
    return bytes_text(value) if value <= 0 else f"+{bytes_text(value)}"


def count_text(value):
    """A number of things, exact up to 99999: `12345`, `123.5k`; at most COUNT_WIDTH cells."""
    if value is None:
        return UNKNOWN
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < 99999.5:
        return f"{sign}{value:.0f}"
    scaled, unit = value, 0
    while scaled >= 999.95 and unit + 1 < len(_DECIMAL):
        scaled, unit = scaled / 1000, unit + 1
    return f"{sign}{scaled:.1f}{_DECIMAL[unit]}"


def rate_text(value):
    """Of a second: one decimal below 10, and never `0` for what is more; at most COUNT_WIDTH cells."""
    if value is None or value == 0:
        return UNKNOWN if value is None else "0"
    if 0 < value < 0.05:
        return "<0.1"
    return f"{value:.1f}" if value < 9.95 else count_text(value)


def percent_text(share):
    """A share of 1; what is below 1 is never rounded up to 100."""
    if share is None:
        return UNKNOWN
    if share >= 1:
        return "100"
    return f"{int(share * 10000) / 100:.2f}"


def percent_of_one(processors):
    """Processor time as `top` has it: 100 is one processor."""
    return UNKNOWN if processors is None else f"{100 * processors:.1f}"


def duration_text(seconds):
    if seconds is None:
        return UNKNOWN
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days}d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{seconds:02}"


def seconds_text(seconds):
    """An interval: `0.5 s`, `2 s`."""
    return f"{seconds:.1f} s".replace(".0 ", " ")


def _digits(value, limit):
    return f"{value:.1f}" if value < limit else f"{value:.0f}"
