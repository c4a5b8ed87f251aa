# SPDX-License-Identifier: MIT
"""Series of measured points, made small enough for a page."""

MAX_POINTS = 300


def thinned(points, most=MAX_POINTS):
    """At most that many of the (time, value) pairs: the ends, and from each stretch its extremes."""
    if len(points) <= most:
        return list(points)
    stretches = (most - 2) // 2
    inner = points[1:-1]
    kept = [points[0]]
    for i in range(stretches):
        stretch = inner[i * len(inner) // stretches : (i + 1) * len(inner) // stretches]
        lowest, highest = (pick(stretch, key=lambda point: point[1]) for pick in (min, max))
        kept += sorted([lowest, highest]) if lowest is not highest else [lowest]
    return kept + [points[-1]]
