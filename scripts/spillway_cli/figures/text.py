# SPDX-License-Identifier: MIT
"""Text for a terminal: cells, not characters; nothing in a foreign name that the terminal obeys."""

import unicodedata

REPLACEMENT = "?"


def printable(text):
    """`text` with a `?` for each control character, line end, mark of direction and stray byte."""
    return "".join(REPLACEMENT if _is_hidden(character) else character for character in text)


def _is_hidden(character):
    # Cc control, Cf format (marks of direction), Cs surrogate (a byte that is not UTF-8),
    # Co private, Cn unassigned, Zl and Zp separators of lines and paragraphs
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def cells(text):
    """The width of printable text."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character):
    if unicodedata.category(character) in ("Mn", "Me"):  # drawn over the one before
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def clip(text, width):
    """`text`, or its beginning and `~` where it is wider than `width`."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 1
    for character in text:
        used += _cells_of(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + "~"


def left(text, width):
    text = clip(text, width)
    return text + " " * (width - cells(text))


def right(text, width):
    text = clip(text, width)
    return " " * (width - cells(text)) + text
