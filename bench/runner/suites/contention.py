# SPDX-License-Identifier: MIT
"""bench_contention: what stands in the way of scaling, counted."""

from runner.goals import YARDSTICKS
from runner.suites.base import Outcome, Suite, run_verified

COUNTED = {"instructions": "per op", "rmw": "per M", "transfers": "per M", "system_calls": "per M"}


def measure(programs, allocator, arguments):
    report = run_verified([programs / "bench_contention", "--json", "-", *arguments], allocator)
    outcome = Outcome(context=report["context"])
    for one in report["results"]:
        for what, unit in COUNTED.items():
            row = f"{one['name']}/{what}"
            outcome.figures[row] = {allocator.name: one[what]}
            outcome.units[row] = unit
    return outcome


SUITE = Suite(
    name="contention",
    heading="contention: counted inside the allocator, of operations",
    about="What an operation does that stops more cores from doing more: atomic "
    "read-modify-writes, cache lines that another thread held, system calls. Counted "
    "instruction by instruction, so it holds for machines larger than this one.",
    prefixes=("contention/",),
    programs=("bench_contention",),
    rounds={"full": 1, "quick": 1, "smoke": 1},
    counted=True,  # of a seeded schedule
    arguments={"full": (), "quick": ("--quick", "--filter", "replace/64/4K-1M"),
               "smoke": ("--smoke",)},
    measure=measure,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
    kind=lambda row, unit: "count",
)
