# SPDX-License-Identifier: MIT
"""bench_threads: threads that work at once or hand blocks over."""

from runner.goals import YARDSTICKS
from runner.suites.base import FEW_QUIET, Outcome, Suite, kind_of_times, run_verified


def measure(programs, allocator, arguments):
    report = run_verified([allocator.program(programs, "bench_threads"), "--json", "-", *arguments], allocator)
    outcome = Outcome(context=report["context"])
    for one in report["results"]:
        outcome.figures[one["name"]] = {allocator.name: one["wall_ns"]["median"]}
        if one["quiet"] < FEW_QUIET:
            outcome.disturbed.add((one["name"], allocator.name))
    return outcome


SUITE = Suite(
    name="threads",
    heading="threads: ns per operation, by the clock on the wall",
    about="Threads that replace blocks at random in live sets of their own, or hand blocks to each "
    "other; up to 64 threads on however few cores there are.",
    prefixes=("empty_", "replace", "handover", "pipeline/", "all_to_all/", "free_only/",
              "thread_churn/"),
    programs=("bench_threads",),
    rounds={"full": 11, "quick": 3, "smoke": 1},
    arguments={"full": ("--repetitions", "5", "--milliseconds", "6"),
               "quick": ("--repetitions", "4", "--milliseconds", "3"),
               "smoke": ("--repetitions", "1", "--milliseconds", "1")},
    measure=measure,
    linked=True,
    kind=kind_of_times,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
)
