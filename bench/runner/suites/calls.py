# SPDX-License-Identifier: MIT
"""bench_calls: single calls in one thread."""

from runner.goals import BARE_MIMALLOC, ONE_BLOCK, POOLED_HIGH, POOLED_LOW, SMALL
from runner.suites.base import Outcome, Suite, benchmarks, kind_of_times, run_verified

# Libraries that exist to be compared in these rows.
ROWS_OF = {BARE_MIMALLOC: SMALL, ONE_BLOCK: POOLED_LOW + POOLED_HIGH}


def measure(programs, allocator, arguments):
    rows = ROWS_OF.get(allocator.name)
    chosen = [f"--benchmark_filter=^({'|'.join(rows)})$"] if rows else []
    program = allocator.program(programs, "bench_calls")
    report = run_verified([program, "--benchmark_format=json", *arguments, *chosen], allocator)
    # Processor time: these calls wait for nothing, and another program's turn is not their cost.
    figures = {one["name"]: {allocator.name: one["cpu_time"]} for one in benchmarks(report)}
    return Outcome(figures, context=report["context"])


SUITE = Suite(
    name="calls",
    heading="calls: ns of processor time, one thread",
    about="Single calls in one thread with nothing or little else live: pairs of malloc and free, "
    "batches, zeroed and aligned blocks, and what it costs to use the block.",
    prefixes=("empty/", "pair", "lifo/", "fifo/", "zeroed", "aligned/", "mixed/"),
    programs=("bench_calls",),
    # Many short ones: a process's luck with addresses outweighs its own noise.
    rounds={"full": 11, "quick": 3, "smoke": 1},
    arguments={"full": ("--benchmark_min_time=0.005",), "quick": ("--benchmark_min_time=0.002",),
               "smoke": ("--benchmark_min_time=0.0002",)},
    measure=measure,
    linked=True,
    kind=kind_of_times,
)
