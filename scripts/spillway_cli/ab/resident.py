# SPDX-License-Identifier: MIT
"""Resident memory of a process tree over time.

Pages that several processes share count once for each of them.
"""

import os

KIB_PER_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024


def kib(pid):
    """Raises OSError for a process that has ended."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * KIB_PER_PAGE
