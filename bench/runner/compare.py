# SPDX-License-Identifier: MIT
"""Another revision of this checkout, built beside it: what `scripts/bench --compare REV` measures."""

import collections
import pathlib
import shutil
import subprocess
import sys
import textwrap

from report import noise, verdicts
from report.rows import ratio
from runner import table
from runner.allocators import Allocator, preloadable
from runner.goals import SUBJECT
from runner.suites import suite_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "compare"
LIBRARY = "libspillway.so"
NAME = 33  # width of a row's name
SAYS = {verdicts.WIN: "lower", verdicts.LOSS: "higher", verdicts.SAME: "~", verdicts.UNTOLD: "?"}


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
    least = noise.least_difference(campaign.noise.spread())
    lines = [f"{'now against ' + other:{NAME}}{'then':>9}{'now':>9}  ratio, 95 % interval",
             "-" * table.WIDTH]
    found = collections.Counter()
    for row, columns in campaign.rows.items():
        unit, suite = campaign.unit_of(row), suite_of(row)
        kind = suite.kind(row, unit)
        if kind is None or SUBJECT not in columns or other not in columns:
            continue
        now_by_then = ratio(columns[SUBJECT], columns[other])
        said = verdicts.UNTOLD if now_by_then is None else verdicts.judge(now_by_then, kind, least)
        found[said] += 1
        name = table.label(row, campaign.units.get(row))
        if len(name) >= NAME:  # a line of its own
            lines.append(name)
            name = ""
        text = f"{name:{NAME}}{table.middle(columns[other]):>9}{table.middle(columns[SUBJECT]):>9}"
        lines.append(f"{text}  {_ratio(now_by_then):20} {SAYS[said]}")
    counts = (f"{found[verdicts.WIN]} rows lower, {found[verdicts.LOSS]} higher beyond noise, "
              f"{found[verdicts.SAME]} neither (~), of {found.total()}; by chance alone one in "
              "twenty is lower or higher")
    if found[verdicts.UNTOLD]:
        counts += f"; of {found[verdicts.UNTOLD]} nothing can be told (?): no interval"
    return lines + textwrap.wrap(counts, table.WIDTH)


def _ratio(value):
    if value is None:
        return ""
    bounds = "" if value.low is None else f"[{table.number(value.low)}, {table.number(value.high)}]"
    return f"{table.number(value.value):5} {bounds}".rstrip()


def instructions(allocator, build_folder):
    """What scripts/check_instructions says of the two libraries' fast paths."""
    command = [sys.executable, "-B", ROOT / "scripts" / "check_instructions",
               "--library", build_folder / LIBRARY, "--against", allocator.library,
               "--program", build_folder / "test" / "instructions" / "trace_calls"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()
