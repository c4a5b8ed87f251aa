# SPDX-License-Identifier: MIT
"""How figures moved while `top` ran, as small graphs to the right of the header of a wide terminal."""

from spillway_cli.figures import memory, units
from spillway_cli.figures.text import cells
from spillway_cli.top.header import BAR, CELL, DIM, GAP, PLAIN

LEVELS = "▁▂▃▄▅▆▇█"
PLAIN_LEVELS = "_.:-=+*#"
FLAT = 0.01  # arbitrary
MIN_WIDTH = 30  # cells of a graph
# (label, how its values are written), in the order of point()
GRAPHS = (
    ("resident", units.bytes_text),
    ("live", units.bytes_text),
    ("allocations/s", units.rate_text),
    ("page faults/s", units.rate_text),
)


def point(change):
    """What is kept of a reading."""
    return (
        change.later.figures.resident,
        memory.live(change.later.snapshot),
        change.rate("allocations_total"),
        change.of_process("minor_faults"),
    )


def beside(lines, points, width, unicode):
    """`lines`, three cells wide, each two with a graph at their right: its bounds, and its values."""
    start = 3 * CELL + 3 * GAP
    room = width - start
    if room < MIN_WIDTH or len(points) < 2:
        return lines
    found = list(lines)
    for at, (label, text) in enumerate(GRAPHS[: len(lines) // 2]):
        values = [one[at] for one in points[-room:] if one[at] is not None]
        if not values:
            continue
        bounds = f"  {text(min(values))} to {text(max(values))}"
        graph = sparkline(values, LEVELS if unicode else PLAIN_LEVELS)
        found[2 * at] = _filled(lines[2 * at], start) + [(label, DIM), (bounds, PLAIN)]
        found[2 * at + 1] = _filled(lines[2 * at + 1], start) + [(graph, BAR)]
    return found


def sparkline(values, levels):
    """A character for each value, from the lowest level for the least to the highest; a level line
    where they differ by less than FLAT of the largest."""
    low, high = min(values), max(values)
    if high - low <= FLAT * high:
        return levels[0] * len(values)
    top = len(levels) - 1
    return "".join(levels[round(top * (value - low) / (high - low))] for value in values)


def _filled(line, width):
    return line + [(" " * (width - sum(cells(text) for text, _ in line)), PLAIN)]
