# SPDX-License-Identifier: MIT
"""bench_pool and bench_freelist: the buffer pool beside the heap of the same process."""

from runner.goals import SUBJECT
from runner.suites.base import FEW_QUIET, Outcome, Suite, benchmarks, run_verified

PROGRAMS = ("bench_pool", "bench_freelist")


def measure(programs, allocator, arguments):
    outcome = Outcome()
    for program in PROGRAMS:
        report = run_verified([programs / program, "--benchmark_format=json", *arguments], allocator)
        outcome.context = outcome.context or report["context"]
        for one in benchmarks(report):
            _take(outcome, allocator, one)
    return outcome


def kind(row, unit):
    """`pool/empty` is the bare loop."""
    return None if row == "pool/empty" else "count" if unit == "pages" else "time"


def _take(outcome, allocator, one):
    # Google Benchmark tells in the name how it measured: pool/set/17/8t/iterations:1/manual_time
    row = one["name"].partition("/iterations:")[0].removesuffix("/manual_time")
    if "pages" in one:
        figure = one["pages"]
        outcome.units[row] = "pages"
    elif one["name"].endswith("/manual_time"):
        figure = one["real_time"]
    else:
        figure = one["cpu_time"]
    outcome.figures[row] = {allocator.name: figure}
    if one.get("quiet", 1) < FEW_QUIET:
        outcome.disturbed.add((row, allocator.name))


SUITE = Suite(
    name="pool",
    heading="pool: ns per buffer or slot; of several threads, by the clock on the wall",
    about="The C++ buffer pool and the engine's freelist, beside malloc and free of the same "
    "process under Spillway.",
    prefixes=("pool/", "freelist/"),
    programs=PROGRAMS,
    rounds={"full": 5, "quick": 3, "smoke": 1},
    arguments={
        "full": ("--benchmark_min_time=0.01", "--repetitions=10", "--milliseconds=5"),
        "quick": ("--benchmark_min_time=0.003", "--repetitions=5", "--milliseconds=3"),
        "smoke": ("--benchmark_min_time=0.001", "--repetitions=1", "--milliseconds=1"),
    },
    measure=measure,
    # A pool works beside any allocator; what it is compared with is Spillway's heap.
    wanted=lambda allocator: allocator.name == SUBJECT,
    kind=kind,
)
