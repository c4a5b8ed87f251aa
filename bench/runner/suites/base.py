# SPDX-License-Identifier: MIT
"""What a suite is, and how one of its programs is run. Nothing here knows about rounds or goals."""

import dataclasses
import json
import subprocess

from harness import commands
from runner.goals import LINKED

LENGTHS = ("full", "quick", "smoke")
FEW_QUIET = 0.3  # below this share of undisturbed repetitions a figure is called disturbed


class SuiteFailed(Exception):
    """The benchmark did not start, ended badly, took too long, or another allocator served it."""


@dataclasses.dataclass
class Outcome:
    """What one round found, of one allocator or of several."""

    figures: dict = dataclasses.field(default_factory=dict)  # row -> allocator -> figure
    disturbed: set = dataclasses.field(default_factory=set)  # (row, allocator)
    context: dict = dataclasses.field(default_factory=dict)
    units: dict = dataclasses.field(default_factory=dict)  # row -> unit, if not the suite's
    series: dict = dataclasses.field(default_factory=dict)  # name -> what a curve is drawn from


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    heading: str
    about: str  # what it measures; stands alone
    prefixes: tuple  # of its rows' names
    programs: tuple
    rounds: dict  # length -> rounds
    arguments: dict  # length -> what the programs are told
    # (programs' folder, allocator or list of them, arguments) -> Outcome
    measure: callable
    wanted: callable = lambda allocator: True  # whether an allocator takes part
    linked: bool = False  # whether its programs exist linked with the allocator
    together: bool = False  # one process measures all allocators, taking turns by itself
    counted: bool = False  # the same each time: one round is all, however many are asked for
    unit: str = "ns"  # of rows that an Outcome gives none
    # row, unit -> time, memory or count; None: of the harness itself, not for the report
    kind: callable = lambda row, unit: "time"
    curves: callable = lambda series: []  # name -> allocator -> [one per round] -> report's Curves
    # After the last round, what is computed from all of them: series, rows -> changes the rows.
    derive: callable = lambda series, rows: None
    notes: tuple = ()  # for the report

    def takes(self, allocator):
        """Whether the allocator takes part, and there are programs for it."""
        return self.wanted(allocator) and (self.linked or allocator.name != LINKED)

    def owns(self, row):
        return row.startswith(self.prefixes)


def kind_of_times(row, _unit):
    """Where all rows are times; those of the loops alone count for no allocator."""
    return None if row.startswith("empty") else "time"


def run_json(command, environment, timeout=300):
    try:
        status, output, complaint = commands.run(command, environment, timeout)
    except OSError as error:
        raise SuiteFailed(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SuiteFailed(f"no end after {timeout} s") from None
    if status != 0:
        lines = complaint.strip().splitlines()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        raise SuiteFailed(f"ended with {how}" + (f": {lines[-1]}" if lines else ""))
    try:
        return json.loads(output)
    except json.JSONDecodeError as error:
        raise SuiteFailed(f"its output is not JSON: {error}") from None


def benchmarks(report):
    """The rows of Google Benchmark's report: one that gave up has times, which mean nothing."""
    for one in report["benchmarks"]:
        if one.get("error_occurred"):
            raise SuiteFailed(f"{one['name']}: {one['error_message']}")
    return report["benchmarks"]


def run_verified(command, allocator):
    """The report of a program that ran with the allocator preloaded, and was served by it."""
    report = run_json(command, allocator.environment())
    verify(allocator, report["context"]["malloc_from"])
    return report


def verify(allocator, malloc_from):
    if not allocator.serves(malloc_from):
        raise SuiteFailed(f"malloc came from {malloc_from}")
