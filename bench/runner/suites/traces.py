# SPDX-License-Identifier: MIT
"""bench_replay: what real programs asked for, recorded and asked again."""

import pathlib

from runner.goals import YARDSTICKS
from runner.suites.base import Outcome, Suite, run_verified

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "traces"


def measure(programs, allocator, arguments):
    traces = sorted(FOLDER.glob("*.trace"))
    report = run_verified([programs / "bench_replay", "--json", "-", *arguments, *traces], allocator)
    outcome = Outcome(context=report["context"])
    for one in report["results"]:
        for row, figure, unit in ((f"{one['name']}/ns", one["ns"]["median"], "ns"),
                                  (f"{one['name']}/again_ns", one["ns_again"]["median"], "ns"),
                                  (f"{one['name']}/peak_mib", one["peak_mib"], "MiB"),
                                  (f"{one['name']}/peak_ratio", one["peak_ratio"], ""),
                                  (f"{one['name']}/faults", one["faults"], "")):
            outcome.figures[row] = {allocator.name: figure}
            outcome.units[row] = unit
    return outcome


def kind(row, _unit):
    kinds = {"ns": "time", "again_ns": "time", "peak_mib": "memory", "peak_ratio": "memory"}
    return kinds.get(row.rpartition("/")[2], "count")


SUITE = Suite(
    name="traces",
    heading="traces: ns per event, by the clock on the wall",
    about="Allocations of real programs, replayed: the same calls in the same order by as many "
    "threads, each new block's pages written once. First in a fresh process, then again.",
    prefixes=("trace/",),
    programs=("bench_replay",),
    rounds={"full": 5, "quick": 3, "smoke": 1},
    arguments={"full": ("--repetitions", "3"), "quick": ("--repetitions", "1"),
               "smoke": ("--smoke",)},
    measure=measure,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
    kind=kind,
)
