# SPDX-License-Identifier: MIT
"""A change as an object of JSON: the later snapshot as it is, and what a second brought beside it."""

import time

SUFFIX = "_total"


def of_change(change):
    """Rates are null where they are unknown: in the first reading of a program, of a counter that fell."""
    figures, snapshot = change.later.figures, change.later.snapshot
    return {
        "pid": change.later.pid,
        "program": change.later.program,
        "time": time.time(),
        "seconds": None if change.elapsed is None else round(change.elapsed, 6),
        "anew": change.anew,
        "process": {
            "resident_bytes": figures.resident,
            "threads": figures.threads,
            "minor_faults_total": figures.minor_faults,
            "major_faults_total": figures.major_faults,
            "processor_seconds_total": figures.processor_seconds,
        },
        "rates": _rates(change),
        "statistics": snapshot,
    }


def _rates(change):
    """By the names of the counters, without `_total`."""
    rates = {
        name.removesuffix(SUFFIX): _rounded(change.rate(name))
        for name in change.later.snapshot
        if name.endswith(SUFFIX)
    }
    for name in ("minor_faults", "major_faults", "processor_seconds"):
        rates[name] = _rounded(change.of_process(name))
    rates["hit_rate"] = _rounded(change.hit_rate())
    rates["classes"] = [
        {
            "block_size": row.block_size,
            "allocations": _rounded(row.allocations),
            "frees": _rounded(row.frees),
            "refills": _rounded(row.refills),
            "spills": _rounded(row.spills),
            "live_bytes": _rounded(row.growth_bytes),
            "hit_rate": _rounded(row.hit_rate),
        }
        for row in change.rows
        if not row.name
    ]
    return rates


def _rounded(value):
    return None if value is None else round(value, 4)
