# SPDX-License-Identifier: MIT
"""The tenants' table, below that of the size classes; nothing for a process without tenants."""

from spillway_cli.figures import tenants, units
from spillway_cli.figures.text import left, right
from spillway_cli.top.header import HEAD, PLAIN, WARN

NAME, GAP = 20, 2
# (heading, width, text of a Tenant); the narrow terminal has the first ones.
COLUMNS = (
    ("IN LIVE", units.BYTES_WIDTH, lambda one: units.bytes_text(one.live_bytes)),
    ("LIVE", units.COUNT_WIDTH, lambda one: units.count_text(one.live_blocks)),
    ("ALLOC/s", 7, lambda one: units.rate_text(one.allocations)),
    ("SOFT LIMIT", 10, lambda one: units.bytes_text(one.soft_limit_bytes or None)),
    ("EXCEEDED", 8, lambda one: units.count_text(one.exceeded_total)),
    ("PEAK", units.BYTES_WIDTH, lambda one: units.bytes_text(one.peak_bytes)),
)


def lines(change, width, most=None):
    """A heading and a line for each, the largest first; `most` lines in all."""
    found = tenants.of(change)
    if not found or (most is not None and most < 2):
        return []
    shown, used = [], NAME
    for column in COLUMNS:
        used += GAP + column[1]
        if used > width:
            break
        shown.append(column)
    heading = left("TENANT", NAME) + "".join(" " * GAP + right(text, cells) for text, cells, _ in shown)
    result = [[(left(heading, width), HEAD)]]
    for one in found:
        is_over = 0 < one.soft_limit_bytes < one.live_bytes
        text = left(one.name, NAME) + "".join(" " * GAP + right(of(one), cells) for _, cells, of in shown)
        result.append([(left(text, width).rstrip(), WARN if is_over else PLAIN)])
    return result[:most]
