"""Resident memory of a process tree over time.

Pages that several processes share count once for each of them.
"""

import os

KIB_PER_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024
MOST_POINTS = 300


def kib(pid):
    """Raises OSError for a process that has ended."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * KIB_PER_PAGE


def thinned(points, most=MOST_POINTS):
    """At most that many of the (time, value) pairs: the ends, and from each stretch its extremes."""
    if len(points) <= most:
        return list(points)
    stretches = (most - 2) // 2
    inner = points[1:-1]
    kept = [points[0]]
    for i in range(stretches):
        stretch = inner[i * len(inner) // stretches : (i + 1) * len(inner) // stretches]
        extremes = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(extremes)
    return kept + [points[-1]]
