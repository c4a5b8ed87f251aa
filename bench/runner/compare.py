# SPDX-License-Identifier: MIT
"""Another revision of this checkout, built beside it: what `scripts/bench --compare REV` measures."""

import pathlib
import shutil
import statistics
import subprocess
import sys

from report import changes, noise
from report.rows import ratio
from runner import table
from runner.allocators import Allocator, preloadable
from runner.goals import SUBJECT
from runner.suites import suite_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "compare"
LIBRARY = "libspillway.so"


class NoRevision(Exception):
    """It does not exist, or cannot be built; the text says why."""


def build(revision):
    """The Allocator of that revision, its library built in build/compare/COMMIT."""
    commit = _git(ROOT, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not commit:
        raise NoRevision(f"no revision '{revision}'")
    source = FOLDER / commit[:12]
    binary = source / "build" / "compare"
    library = preloadable(binary / LIBRARY)
    if not (source / "CMakeLists.txt").exists():
        _check_out(commit, source)
    if not (binary / "build.ninja").exists():
        _run("configuring", ["cmake", "-G", "Ninja", "-S", source, "-B", binary,
                             "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                             f"-DSPILLWAY_MIMALLOC_SOURCE={ROOT / 'build' / 'deps' / 'mimalloc'}"])
    print(f"bench: building {revision} ({commit[:12]})", file=sys.stderr)
    _run("build", ["ninja", "-C", binary, LIBRARY])
    return Allocator(commit[:8], library, f"revision {revision}")


def _check_out(commit, source):
    """Under another name until it is whole: what an interruption leaves is made again."""
    fresh = source.with_name(source.name + ".new")
    for folder in (fresh, source):
        shutil.rmtree(folder, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run("clone", ["git", "clone", "-q", "--shared", "--no-checkout", ROOT, fresh])
    _run("check-out", ["git", "-C", fresh, "checkout", "-q", "--detach", commit])
    fresh.rename(source)


def _git(folder, *arguments):
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _run(step, command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["it says nothing"])[-1]
        raise NoRevision(f"{step} failed: {last}")


def rows(campaign, other):
    """Every row that both have: its medians, the ratio now / then, and what is to be said of it."""
    min_difference = noise.min_difference(campaign.noise.spread())
    found = []
    for row, columns in campaign.rows.items():
        unit = campaign.unit_of(row)
        kind = suite_of(row).kind(row, unit)
        if kind is None or SUBJECT not in columns or other not in columns:
            continue
        now_by_then = ratio(columns[SUBJECT], columns[other])
        found.append(changes.Change(
            table.label(row, campaign.units.get(row)), statistics.median(columns[other]),
            statistics.median(columns[SUBJECT]), now_by_then, changes.judged(now_by_then, kind, min_difference)))
    return (changes.lines(f"now against {other}", found, table.number, changes.LOWER)
            + changes.counted(found, changes.LOWER))


def instructions(allocator, build_folder):
    """What scripts/check_instructions says of the two libraries' fast paths."""
    command = [sys.executable, "-B", ROOT / "scripts" / "check_instructions",
               "--library", build_folder / LIBRARY, "--against", allocator.library,
               "--program", build_folder / "test" / "instructions" / "trace_calls"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()
