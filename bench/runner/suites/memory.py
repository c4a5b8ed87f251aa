# SPDX-License-Identifier: MIT
"""bench_memory: memory in use over time, and what using it costs."""

import statistics

from report.curves import thinned
from report.model import Curve
from runner.goals import YARDSTICKS
from runner.suites.base import Outcome, Suite, run_verified

FILL_SAMPLES = "fill/ms, each process"
LONG_QUEUED = 0.05  # a process that waited for a core this part of its life was disturbed


def measure(programs, allocator, arguments):
    report = run_verified([allocator.program(programs, "bench_memory"), "--json", "-", *arguments], allocator)
    outcome = Outcome(context=report["context"])
    for workload in report["results"]:
        outcome.series[workload["name"]] = [thinned(process) for process in workload["ms_and_rss_kib"]]
        for row in workload["rows"]:
            if row["name"] == "fill/ms":
                outcome.series[FILL_SAMPLES] = row["samples"]
            outcome.figures[row["name"]] = {allocator.name: row["value"]}
            outcome.units[row["name"]] = row["unit"]
            if workload["queued"] > LONG_QUEUED:
                outcome.disturbed.add((row["name"], allocator.name))
    return outcome


def kind(row, unit):
    if unit in ("ns", "us", "ms"):
        return "time"
    return "count" if row.endswith(("/faults", "/mappings", "/spread")) else "memory"


def derive(series, rows):
    """The slowest of a process's few fills says little: one figure, of all rounds together.

    It has no interval, and a verdict on it is never sure: the one slowest fill of all decides it.
    """
    for allocator, rounds in series.get(FILL_SAMPLES, {}).items():
        rows["fill/spread"][allocator] = [_spread([ms for one in rounds for ms in one])]


def _spread(samples):
    return max(samples) / statistics.median(samples)


def curves(series):
    """Resident memory over the first round, of workloads that are one process."""
    found = []
    for workload, by_allocator in series.items():
        if workload == FILL_SAMPLES:
            continue
        lines = {}
        for allocator, rounds in by_allocator.items():
            processes = rounds[0]
            if len(processes) == 1 and len(processes[0]) > 1:
                start = processes[0][0][0]
                lines[allocator] = [((ms - start) / 1000, kib / 1024) for ms, kib in processes[0]]
        if lines:
            found.append(Curve(f"{workload}: resident memory", "seconds", "MiB", lines))
    return found


SUITE = Suite(
    name="memory",
    heading="memory in use, and what its use costs",
    about="Memory over time under patterns of real programs, every page of a block written; and "
    "what page faults, placement and growing cost.",
    prefixes=("live/", "threads16/", "server/", "realloc/", "walk/", "fill/", "churn/", "large/",
              "burst/", "sawtooth/", "leak/", "shift/", "slope/", "swing/", "drift/", "sparse/",
              "pin/", "one_size/"),
    programs=("bench_memory",),
    rounds={"full": 5, "quick": 1, "smoke": 1},
    arguments={"full": (), "quick": ("--quick",), "smoke": ("--smoke",)},
    measure=measure,
    linked=True,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
    kind=kind,
    curves=curves,
    derive=derive,
)
