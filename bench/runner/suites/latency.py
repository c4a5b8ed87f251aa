# SPDX-License-Identifier: MIT
"""bench_latency: how long single calls take, to the rarest."""

from report.model import Curve
from runner.goals import YARDSTICKS
from runner.suites.base import FEW_QUIET, Outcome, Suite, run_verified

PERCENTILES = ("p50", "p90", "p99", "p99.9", "p99.99", "max")


def measure(programs, allocator, arguments):
    report = run_verified([allocator.program(programs, "bench_latency"), "--json", "-", *arguments], allocator)
    outcome = Outcome(context=report["context"])
    for one in report["results"]:
        for percentile in PERCENTILES:
            row = f"{one['name']}/{percentile}"
            outcome.figures[row] = {allocator.name: one[percentile]}
            if one["quiet"] < FEW_QUIET:
                outcome.disturbed.add((row, allocator.name))
        outcome.series[one["name"]] = one["histogram"]
    return outcome


def curves(series):
    """Latency against how rare it is: one call in x takes as long or longer. All rounds together."""
    found = []
    for name, by_allocator in series.items():
        lines = {allocator: _rarity(_together(rounds)) for allocator, rounds in by_allocator.items()}
        found.append(Curve(f"{name}: one call in x takes y or longer", "one call in", "ns",
                           {a: line for a, line in lines.items() if line}, x_log=True, y_log=True))
    return found


def _together(rounds):
    counts = {}
    for histogram in rounds:
        for ns, count in histogram:
            counts[ns] = counts.get(ns, 0) + count
    return sorted(counts.items())


def _rarity(histogram):
    total = sum(count for _, count in histogram)
    line, passed = [], 0
    for ns, count in histogram:
        line.append((total / (total - passed), max(ns, 1)))
        passed += count
    return line


SUITE = Suite(
    name="latency",
    heading="latency: ns of one call",
    about="How long single calls take while blocks are replaced at random: the usual case, and the "
    "rare one that a user waits for.",
    prefixes=("latency/",),
    programs=("bench_latency",),
    rounds={"full": 5, "quick": 1, "smoke": 1},
    arguments={"full": (), "quick": ("--milliseconds", "50"), "smoke": ("--smoke",)},
    measure=measure,
    linked=True,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
    kind=lambda row, unit: None if row.startswith("latency/empty/") else "time",
    curves=curves,
    notes=("With more threads than cores, waiting for a core is part of a call's time. The rows "
           "`empty` are the clock alone: what the machine itself does to rare calls.",),
)
