"""What a suite is, and how one of its programs is run. Nothing here knows about rounds or goals."""

import dataclasses
import json
import subprocess

LENGTHS = ("full", "quick", "smoke")
FEW_QUIET = 0.3  # below this share of undisturbed repetitions a figure is called disturbed


class SuiteFailed(Exception):
    """The benchmark ended badly, took too long, or another allocator served it."""


@dataclasses.dataclass
class Outcome:
    """What one round found, of one allocator or of several."""

    figures: dict = dataclasses.field(default_factory=dict)  # row -> allocator -> figure
    disturbed: set = dataclasses.field(default_factory=set)  # (row, allocator)
    context: dict = dataclasses.field(default_factory=dict)
    units: dict = dataclasses.field(default_factory=dict)  # row -> unit, where the name lacks it
    series: dict = dataclasses.field(default_factory=dict)  # name -> what a curve is drawn from


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    heading: str  # with the unit of rows that do not tell theirs
    about: str  # what it measures, for somebody who reads no other page
    prefixes: tuple  # of its rows' names
    programs: tuple
    rounds: dict  # length -> rounds
    arguments: dict  # length -> what the programs are told
    # (programs' folder, allocator or list of them, arguments) -> Outcome
    measure: callable
    wanted: callable = lambda allocator: True  # whether an allocator takes part
    linked: bool = False  # whether its programs exist linked with the allocator
    together: bool = False  # one process measures all allocators, taking turns by itself
    # row, unit -> time, memory or count; None: of the harness itself, not for the report
    kind: callable = lambda row, unit: "time"
    curves: callable = lambda series: []  # name -> allocator -> [one per round] -> report's Curves
    # After the last round, what is computed from all of them: series, rows -> changes the rows.
    derive: callable = lambda series, rows: None
    notes: tuple = ()  # for the report

    def owns(self, row):
        return row.startswith(self.prefixes)


def kind_of_times(row, _unit):
    """Where all rows are times; those of the loops alone are nobody's."""
    return None if row.startswith("empty") else "time"


def run_json(command, environment, timeout=300):
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise SuiteFailed(f"no end after {timeout} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise SuiteFailed(f"ended with {how}" + (f": {lines[-1]}" if lines else ""))
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise SuiteFailed(f"its output is not JSON: {error}") from None


def run_verified(command, allocator):
    """The report of a program that ran with the allocator preloaded, and was served by it."""
    report = run_json(command, allocator.environment())
    verify(allocator, report["context"]["malloc_from"])
    return report


def verify(allocator, malloc_from):
    if not allocator.serves(malloc_from):
        raise SuiteFailed(f"malloc came from {malloc_from}")
