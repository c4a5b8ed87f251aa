# SPDX-License-Identifier: MIT
"""What the two runs of the command found."""

from spillway_cli.ab.measure import GRACE
from spillway_cli.doctor.finding import note, ok, problem


def findings(plain, run, heaps, heap, strangers=()):
    """`plain`, `run`: trial.Run, the first None when it was left out. `heap`: the one of `heaps` that is judged,
    or None. `strangers`: programs that were seen without Spillway."""
    found = [_status(plain, run)]
    if run.sample.left_behind and not run.ended:
        found.append(note("left behind", f"processes went on after its end, and were ended {GRACE:.0f} s later",
                          "run a server in the foreground, with --seconds"))  # fmt: skip
    if not heaps and strangers:
        found.append(problem("process", f"{', '.join(sorted(strangers))} ran without Spillway, in spite of LD_PRELOAD",
                             "look at what starts it: it may clear the environment"))  # fmt: skip
        return found
    if heap is None:
        names = ", ".join(sorted({one.program for one in heaps})) or "the command"
        found.append(note("process", f"{names} left no figures: ended by a signal or _exit, hardened, or with "
                          "enabled:0",
                          "give less time than it takes, --seconds, to look before its end"))  # fmt: skip
        return found
    found.append(_process(heaps, heap))
    if heap.statistics.get("pool_off"):
        found.append(note("pool", "pool_off is 1: the kernel gave no range of addresses, mimalloc served all",
                          "see ulimit -v and overcommit above"))  # fmt: skip
    refused = heap.statistics.get("class_full_total", 0)
    if refused:
        found.append(note("pool", f"{refused} requests found the pool full and went to mimalloc",
                          "raise `reserve`, or the limits above"))  # fmt: skip
    if heap.statistics.get("profile_dropped_total"):
        found.append(note("samples", "there were too many to keep: shares are too small where most blocks live",
                          "take a shorter run: --seconds"))  # fmt: skip
    return found


def _process(heaps, heap):
    name = f"{heap.program} (process {heap.pid})"
    if len(heaps) == 1:
        return ok("process", f"{name} used Spillway")
    return ok("process", f"{len(heaps)} processes used Spillway; {name} asked for most and is looked at")


def _status(plain, run):
    now = run.status_text()
    if plain is None:
        if run.sample.status == 0 or run.ended:
            return ok("status", f"{now} with Spillway; not run without")
        return note("status", f"{now} with Spillway; not run without{_said(run)}", "leave out --once to compare")
    if plain.ended and run.ended:
        return ok("status", f"{now}, with Spillway as without")
    if plain.ended != run.ended:
        return note("status", f"{plain.status_text()} without Spillway; {now} with it",
                    "give it more time: --seconds")  # fmt: skip
    if plain.sample.status == run.sample.status:
        if plain.sample.status == 0:
            return ok("status", "exit status 0, with Spillway as without")
        return note("status", f"{now}, with Spillway as without{_said(run)}", "see that the command is right")
    return problem("status", f"{plain.status_text()} without Spillway, but {now} with it{_said(run)}",
                   "run both again; if it stays so, see MISUSE.md and report it")  # fmt: skip


def _said(run):
    return f" ({run.complaint})" if run.complaint else ""
