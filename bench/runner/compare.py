"""Another revision of this checkout, built beside it: what `scripts/bench --compare REV` measures."""

import pathlib
import subprocess
import sys

from report.statistics import paired_ratio
from runner import table
from runner.allocators import Allocator
from runner.goals import SUBJECT

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
    if not (source / "CMakeLists.txt").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run("clone", ["git", "clone", "-q", "--shared", "--no-checkout", ROOT, source])
        _run("check-out", ["git", "-C", source, "checkout", "-q", "--detach", commit])
    binary = source / "build" / "compare"
    if not (binary / "build.ninja").exists():
        _run("configuring", ["cmake", "-G", "Ninja", "-S", source, "-B", binary,
                             "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                             f"-DSPILLWAY_MIMALLOC_SOURCE={ROOT / 'build' / 'deps' / 'mimalloc'}"])
    print(f"bench: building {revision} ({commit[:12]})", file=sys.stderr)
    _run("build", ["ninja", "-C", binary, LIBRARY])
    return Allocator(commit[:8], binary / LIBRARY, f"revision {revision}")


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
    lines = [f"{'now against ' + other:34}{'then':>9}{'now':>9}  ratio, 95 % interval", "-" * table.WIDTH]
    faster, slower = [], []
    for row, columns in campaign.rows.items():
        if SUBJECT not in columns or other not in columns:
            continue
        ratio = paired_ratio(columns[SUBJECT], columns[other])
        told = ratio.low is not None and not ratio.is_same
        if told:
            (slower if ratio.value > 1 else faster).append(row)
        interval = "" if ratio.low is None else f"[{table.number(ratio.low)}, {table.number(ratio.high)}]"
        what = ("slower" if ratio.value > 1 else "faster") if told else "~"
        name = table.label(row, campaign.units.get(row))
        lines.append(f"{name:34}{table.middle(columns[other]):>9}{table.middle(columns[SUBJECT]):>9}"
                     f"  {table.number(ratio.value):5} {interval:14} {what}")
    lines.append(f"{len(faster)} rows lower, {len(slower)} higher beyond noise, of {len(lines) - 2}; "
                 "by chance alone one in twenty is")
    return lines


def instructions(allocator, build_folder):
    """What scripts/check_instructions says of the two libraries' fast paths."""
    command = [sys.executable, "-B", ROOT / "scripts" / "check_instructions",
               "--library", build_folder / LIBRARY, "--against", allocator.library,
               "--program", build_folder / "test" / "instructions" / "trace_calls"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()
