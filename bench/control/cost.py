#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What it costs a process of two hundred million calls a second to be looked at (alloc/docs/CONTROL.md).

In turns, for some seconds each, its statistics are read once a second, as `top` does, or a thousand
times, or those of another process as often: the reader takes processor time of its own, which the
process would notice, too. The figure is calls per second of the process's processor time, the
background thread's included, so that other load on the machine counts as little as may be.

  cost.py [ROUNDS [SECONDS]]      with build/release, 2 rounds at least; medians, and the quarters round them
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from spillway_cli import attach  # noqa: E402

LIBRARY = ROOT / "build" / "release" / "libspillway.so"
PROGRAM = ROOT / "build" / "release" / "bench" / "bench_control_steady"
RATES = (1, 1000)  # looks in a second


def counts(process):
    process.stdin.write(b"x")
    process.stdin.flush()
    return [int(word) for word in process.stdout.readline().split()]


def look(attachment, rate, seconds):
    """Looks so often for so long; how often it really did."""
    end, done, due = time.monotonic() + seconds, 0, time.monotonic()
    while time.monotonic() < end:
        attachment.snapshot_text()
        done += 1
        due += 1 / rate
        time.sleep(max(min(due, end) - time.monotonic(), 0))
    return done


def measure(attachment, process, rate, seconds):
    """(calls per second of processor time, looks per second)"""
    before = counts(process)
    done = look(attachment, rate, seconds)
    after = counts(process)
    return (after[0] - before[0]) / (after[1] - before[1]) * 1e9, done / seconds


def start(*command):
    return subprocess.Popen(
        command, env=dict(os.environ, LD_PRELOAD=str(LIBRARY)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip


def main(rounds=15, seconds=2.0):
    process, other = start(PROGRAM), start("cat")
    counts(process)  # it has started
    other.stdin.write(b"\n")
    other.stdin.flush()
    other.stdout.readline()
    own, others = attach.find(process.pid), attach.find(other.pid)
    found = {(rate, seen): [] for rate in RATES for seen in (False, True)}
    looks = {rate: [] for rate in RATES}
    for _ in range(rounds):
        for rate, seen in found:
            while not seen and attach.status.hidden_thread(process.pid) is not None:
                time.sleep(0.1)
            figure, done = measure(own if seen else others, process, rate, seconds)
            found[rate, seen].append(figure)
            looks[rate].append(done)
    for one in (process, other):
        one.stdin.close()
        one.wait()
    print(f"{rounds} rounds of {seconds:g} s each; million calls a second, and the quarters round them")
    print(f"{'looks a second':>14} {'at another':>10} {'':15} {'at this one':>11} {'':15} {'slower':>7}")
    for rate in RATES:
        line = f"{statistics.median(looks[rate]):14.0f}"
        middles = []
        for seen, width in ((False, 10), (True, 11)):
            low, middle, high = (one / 1e6 for one in statistics.quantiles(found[rate, seen], n=4))
            line += f" {middle:{width}.2f} {f'({low:.2f} {high:.2f})':15}"
            middles.append(middle)
        print(f"{line} {(middles[0] / middles[1] - 1) * 100:6.2f}%")


if __name__ == "__main__":
    if sys.argv[1:2] and not sys.argv[1].isdigit() or sys.argv[1:2] in (["0"], ["1"]):
        print("cost.py: ROUNDS is a number from 2 on", file=sys.stderr)
        sys.exit(2)
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:])))
