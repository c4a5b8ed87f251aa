# SPDX-License-Identifier: MIT
"""bench_startup: a program that does nothing, from its start to its end."""

from runner.goals import YARDSTICKS
from runner.suites.base import Outcome, Suite, run_json, verify


UNITS = {"startup/wall_us": "us", "startup/cpu_us": "us", "startup/faults": "",
         "startup/rss_kib": "KiB", "startup/private_kib": "KiB"}
KINDS = {"us": "time", "": "count", "KiB": "memory"}


def measure(programs, allocators, arguments):
    command = [programs / "bench_startup", "--json", "-", *arguments]
    for allocator in allocators:
        if allocator.library:
            command += ["--library", f"{allocator.name}={allocator.library}"]
    report = run_json(command, {**allocators[0].environment(), "LD_PRELOAD": ""})
    by_name = {allocator.name: allocator for allocator in allocators}
    outcome = Outcome(context=report["context"], units=dict(UNITS))
    for one in report["results"]:
        allocator = by_name.get(one["name"])
        if allocator is None:
            continue
        verify(allocator, one["malloc_from"])
        found = {"startup/wall_us": one["wall_us"]["median"],
                 "startup/cpu_us": one["cpu_us"]["median"],
                 "startup/faults": one["faults"],
                 "startup/rss_kib": one.get("rss_kib"),
                 "startup/private_kib": one.get("private_kib")}
        for row, figure in found.items():
            if figure is not None:
                outcome.figures.setdefault(row, {})[allocator.name] = figure
    return outcome


SUITE = Suite(
    name="startup",
    heading="start-up of /bin/true",
    about="What preloading costs a program that allocates nothing by itself: /bin/true from its "
    "start to its end, and its memory at its exit.",
    prefixes=("startup/",),
    programs=("bench_startup",),
    rounds={"full": 5, "quick": 3, "smoke": 1},
    arguments={"full": ("--runs", "30"), "quick": ("--runs", "10"), "smoke": ("--runs", "2")},
    measure=measure,
    wanted=lambda allocator: allocator.name not in YARDSTICKS,
    together=True,
    kind=lambda row, unit: KINDS[unit],
)
