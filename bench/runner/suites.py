"""Runs one suite once and reads its figures. Nothing here knows about rounds or goals."""

import dataclasses
import json
import subprocess

from runner.goals import FALLBACK, SUBJECT

SUITES = ("calls", "threads", "startup", "memory", "pool")
PROGRAMS = {"pool": ("bench_pool", "bench_freelist")}  # of the others: bench_SUITE
MEMORY_ROWS = ("live/", "threads16/", "server/", "realloc/", "walk/", "fill/", "churn/", "large/")
POOL_ROWS = ("pool/", "freelist/")
FEW_QUIET = 0.3  # below this share of undisturbed repetitions a figure is called disturbed
LONG_QUEUED = 0.05  # so is one of memory whose process waited for a core this part of its life


class SuiteFailed(Exception):
    """The benchmark ended badly, took too long, or another allocator served it."""


@dataclasses.dataclass(frozen=True)
class Length:
    """How long the suites run."""

    rounds: int
    calls_rounds: int  # many short ones: a process's luck with addresses outweighs its own noise
    seconds: float  # per call
    repetitions: int  # per thread case
    milliseconds: int  # per repetition
    starts: int
    memory_rounds: int
    memory: tuple = ()  # what bench_memory is told


FULL = Length(rounds=9, calls_rounds=21, seconds=0.02, repetitions=24, milliseconds=8, starts=30,
              memory_rounds=3)
QUICK = Length(rounds=3, calls_rounds=5, seconds=0.01, repetitions=10, milliseconds=5, starts=15,
               memory_rounds=3, memory=("--quick",))
SMOKE = Length(rounds=1, calls_rounds=1, seconds=0.001, repetitions=1, milliseconds=1, starts=2,
               memory_rounds=1, memory=("--smoke",))


@dataclasses.dataclass
class Outcome:
    figures: dict  # row -> allocator -> figure
    disturbed: set  # (row, allocator)
    context: dict
    units: dict = dataclasses.field(default_factory=dict)  # row -> unit, where the name lacks it
    series: dict = dataclasses.field(default_factory=dict)  # workload -> memory over time


def rounds_of(suite, length):
    return {"calls": length.calls_rounds, "memory": length.memory_rounds}.get(suite, length.rounds)


def programs_of(suite):
    return PROGRAMS.get(suite, (f"bench_{suite}",))


def suite_of(row):
    if row.startswith("startup/"):
        return "startup"
    if row.startswith(POOL_ROWS):
        return "pool"
    if row.startswith(MEMORY_ROWS):
        return "memory"
    return "calls" if row == "empty" or row.startswith("pair") else "threads"


def _run(command, environment, timeout=300):
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


def _verify(allocator, malloc_from):
    if not allocator.serves(malloc_from):
        raise SuiteFailed(f"malloc came from {malloc_from}")


def wanted(suite, allocator):
    """The fallback's own library exists to be compared in small pairs only. A pool works beside any
    allocator; what it is compared with is Spillway's heap, in the same process."""
    if suite == "pool":
        return allocator.name == SUBJECT
    return suite == "calls" or allocator.name != FALLBACK


def run_calls(programs, allocator, length):
    report = _run([programs / "bench_calls", f"--benchmark_min_time={length.seconds}",
                   "--benchmark_format=json"], allocator.environment())
    _verify(allocator, report["context"]["malloc_from"])
    # Processor time: these calls wait for nothing, and another program's turn is not their cost.
    figures = {one["name"]: {allocator.name: one["cpu_time"]} for one in report["benchmarks"]}
    return Outcome(figures, set(), report["context"])


def run_threads(programs, allocator, length):
    report = _run([programs / "bench_threads", "--json", "-",
                   "--repetitions", str(length.repetitions),
                   "--milliseconds", str(length.milliseconds)], allocator.environment())
    _verify(allocator, report["context"]["malloc_from"])
    figures, disturbed = {}, set()
    for one in report["results"]:
        figures[one["name"]] = {allocator.name: one["wall_ns"]["median"]}
        if one["quiet"] < FEW_QUIET:
            disturbed.add((one["name"], allocator.name))
    return Outcome(figures, disturbed, report["context"])


def run_pool(programs, allocator, length):
    outcome = Outcome({}, set(), {})
    for program in programs_of("pool"):
        report = _run([programs / program, f"--benchmark_min_time={length.seconds}",
                       f"--repetitions={length.repetitions}",
                       f"--milliseconds={length.milliseconds}", "--benchmark_format=json"],
                      allocator.environment())
        _verify(allocator, report["context"]["malloc_from"])
        outcome.context = outcome.context or report["context"]
        for one in report["benchmarks"]:
            if one.get("error_occurred"):
                raise SuiteFailed(f"{one['name']}: {one['error_message']}")
            _take_pool_row(outcome, allocator, one)
    return outcome


def _take_pool_row(outcome, allocator, one):
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


def run_memory(programs, allocator, length):
    report = _run([programs / "bench_memory", "--json", "-", *length.memory],
                  allocator.environment())
    _verify(allocator, report["context"]["malloc_from"])
    outcome = Outcome({}, set(), report["context"])
    for workload in report["results"]:
        outcome.series[workload["name"]] = workload["ms_and_rss_kib"]
        for row in workload["rows"]:
            outcome.figures[row["name"]] = {allocator.name: row["value"]}
            outcome.units[row["name"]] = row["unit"]
            if workload["queued"] > LONG_QUEUED:
                outcome.disturbed.add((row["name"], allocator.name))
    return outcome


def run_startup(programs, allocators, length):
    """All allocators in one process, which takes turns between them by itself."""
    command = [programs / "bench_startup", "--json", "-", "--runs", str(length.starts)]
    for allocator in allocators:
        if allocator.library:
            command += ["--library", f"{allocator.name}={allocator.library}"]
    report = _run(command, {**allocators[0].environment(), "LD_PRELOAD": ""})
    by_name = {allocator.name: allocator for allocator in allocators}
    figures = {}
    for one in report["results"]:
        allocator = by_name.get(one["name"])
        if allocator is None:
            continue
        _verify(allocator, one["malloc_from"])
        found = {"startup/wall_us": one["wall_us"]["median"],
                 "startup/cpu_us": one["cpu_us"]["median"],
                 "startup/faults": one["faults"],
                 "startup/rss_kib": one.get("rss_kib"),
                 "startup/private_kib": one.get("private_kib")}
        for row, figure in found.items():
            if figure is not None:
                figures.setdefault(row, {})[allocator.name] = figure
    return Outcome(figures, set(), report["context"])
