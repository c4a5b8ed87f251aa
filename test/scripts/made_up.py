# SPDX-License-Identifier: MIT
"""Readings of made-up processes, for the tests of `top`, `ps` and `diff`."""

import support  # noqa: F401
from spillway_cli.figures.reading import ProcessFigures, Reading

FIGURES = {
    "state": "S",
    "started": 1000,
    "threads": 3,
    "resident": 50 << 20,
    "minor_faults": 100,
    "major_faults": 1,
    "processor_seconds": 1.0,
}
SNAPSHOT = {
    "pid": 77,
    "program": "server",
    "version": "0.1.0",
    "pool_live_bytes": 0,
    "pool_cached_bytes": 0,
    "pool_free_bytes": 8 << 20,
    "pool_clean_bytes": 2 << 20,
    "retained_bytes": 1 << 30,
    "large_live_bytes": 0,
    "large_blocks": 0,
    "large_free_bytes": 0,
    "large_allocations_total": 0,
    "mimalloc_live_bytes": 1 << 20,
    "mimalloc_committed_bytes": 32 << 20,
    "allocations_total": 0,
    "refills_total": 0,
    "spills_total": 0,
    "purged_bytes_total": 0,
    "purges_total": 0,
    "purges_refused_total": 0,
    "thread_caches": 2,
    "cache_budget_bytes": 16 << 20,
}


def one_class(block_size, live=0, cached=0, allocations_total=0, **more):
    return {
        "block_size": block_size,
        "live": live,
        "cached": cached,
        "allocations_total": allocations_total,
        **more,
    }


def reading(when=0.0, classes=(), process=None, options=None, **values):
    """With the sums of the classes where `values` do not say otherwise."""
    classes = list(classes)
    sums = {
        "pool_live_bytes": sum(one["live"] * one["block_size"] for one in classes),
        "pool_cached_bytes": sum(one["cached"] * one["block_size"] for one in classes),
        "allocations_total": sum(one["allocations_total"] for one in classes),
    }
    figures = ProcessFigures(**FIGURES | (process or {}))
    return Reading(SNAPSHOT | sums | values | {"classes": classes}, figures, when, options or {})


def without(one, *names):
    """The reading of a library that does not tell `names`."""
    kept = {name: value for name, value in one.snapshot.items() if name not in names}
    return Reading(kept, one.figures, one.when)
