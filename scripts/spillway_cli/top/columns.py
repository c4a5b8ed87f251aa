# SPDX-License-Identifier: MIT
"""THE table of the columns of `top`: heading, value, width, and by what key it sorts.

A narrow terminal has those of the lowest ranks that fit. A column whose value the library of that
process does not tell is left out.
"""

import dataclasses
from collections.abc import Callable

from spillway_cli.figures import units



@dataclasses.dataclass(frozen=True)
class Column:
    name: str  # of --sort
    key: str  # sorts by it
    heading: str
    width: int
    rank: int  # 0 is always there
    value: Callable  # of a Row; None for unknown
    text: Callable  # of a value
    help: str
    ascending: bool = False  # the order in which it sorts at first
    total: Callable | None = sum  # of the values of all rows; None: it has no total


COLUMNS = (
    Column(
        "size", "n", "SIZE", 8, 0, lambda row: row.order, units.size_text,
        "bytes of a block of the class", ascending=True, total=None,
    ),
    Column(
        "blocks", "b", "LIVE", units.COUNT_WIDTH, 1, lambda row: row.live, units.count_text,
        "blocks that the program holds",
    ),
    Column(
        "live", "l", "IN LIVE", units.BYTES_WIDTH, 0, lambda row: row.live_bytes, units.bytes_text,
        "bytes of these",
    ),
    Column(
        "growth", "g", "GROWTH/s", 10, 8, lambda row: row.growth_bytes, units.signed_bytes_text,
        "by how much the bytes in live blocks grew in a second",
    ),
    Column(
        "allocs", "a", "ALLOC/s", 7, 0, lambda row: row.allocations, units.rate_text,
        "allocations in a second",
    ),
    Column(
        "frees", "f", "FREE/s", 6, 2, lambda row: row.frees, units.rate_text, "frees in a second",
    ),
    Column(
        "hits", "m", "HIT %", units.PERCENT_WIDTH, 3, lambda row: row.hit_rate, units.percent_text,
        "allocations that the thread's cache served; the lowest first", ascending=True, total=None,
    ),
    Column(
        "refills", "e", "REFILL/s", 8, 4, lambda row: row.refills, units.rate_text,
        "times in a second that a thread's cache was empty",
    ),
    Column(
        "spills", "s", "SPILL/s", 7, 5, lambda row: row.spills, units.rate_text,
        "times in a second that a thread's cache was full",
    ),
    Column(
        "cached", "c", "CACHED", units.BYTES_WIDTH, 6, lambda row: row.cached_bytes, units.bytes_text,
        "bytes of free blocks in thread caches",
    ),
    Column(
        "used", "u", "USED %", 6, 7, lambda row: row.fill, units.percent_text,
        "share of the live bytes that was asked for, estimated", ascending=True,
        total=None,
    ),
    Column(
        "total", "t", "ALLOCATIONS", 11, 9, lambda row: row.allocations_total, units.count_text,
        "allocations since the process began",
    ),
)  # fmt: skip
DEFAULT = "live"
BAR_MIN, BAR_MAX = 10, 40  # cells of the bar that shows a class's share of the live bytes


def find(name):
    return next(column for column in COLUMNS if column.name == name)


def by_key(key):
    return next((column for column in COLUMNS if column.key == key), None)


def fitting(rows, width):
    """(the columns that fit, in their order; the gap between them), of those known for a row."""
    known = [column for column in COLUMNS if any(column.value(row) is not None for row in rows)]
    known = known or [column for column in COLUMNS if column.rank == 0]
    for gap in (2, 1):
        chosen = _lowest_ranks(known, width, gap)
        if len(chosen) == len(known):
            break
    return [column for column in COLUMNS if column in chosen], gap


def _lowest_ranks(known, width, gap):
    chosen, used = [], -gap
    for column in sorted(known, key=lambda column: column.rank):
        used += gap + column.width
        if used > width:
            break
        chosen.append(column)
    return chosen


def ordered(rows, column, reverse=False):
    """Sorted by the column, ties and unknown values, which come last, by size."""
    descending = column.ascending == reverse
    known = [row for row in rows if column.value(row) is not None]
    unknown = [row for row in rows if column.value(row) is None]
    known.sort(key=_order)
    known.sort(key=column.value, reverse=descending)
    return known + sorted(unknown, key=_order)


def _order(row):
    return row.order


def total(rows, column):
    """None when the column has none, or nothing of it is known."""
    values = [column.value(row) for row in rows]
    values = [value for value in values if value is not None]
    return column.total(values) if column.total and values else None
