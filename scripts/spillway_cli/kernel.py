# SPDX-License-Identifier: MIT
"""Settings and figures of the kernel: files of a line, in /proc and /sys."""

import re


def text(path):
    """Without the last newline; None where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def number(path):
    """None for what is no number from 0 on, too."""
    found = text(path)
    return int(found) if found is not None and re.fullmatch(r"\d+", found) else None


def chosen(path):
    """The word in brackets of a list of choices, as `always [madvise] never`; None without one."""
    found = re.search(r"\[(\w+)\]", text(path) or "")
    return found[1] if found else None
