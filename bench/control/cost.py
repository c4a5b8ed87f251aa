#!/usr/bin/python3
"""What it costs a process of ten million calls a second to be looked at (alloc/docs/CONTROL.md).

In turns, for some seconds each: nobody looks; somebody reads its statistics once a second, as `top`
does, or a thousand times. The figure is calls per second of the process's processor time, the
background thread's included, so that other load on the machine counts as little as may be.

  cost.py [ROUNDS [SECONDS]]      with build/release; medians, and the quarters round them
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
RATES = {"nobody": 0, "once a second": 1, "1000 a second": 1000}  # looks in a second


def counts(process):
    process.stdin.write(b"x")
    process.stdin.flush()
    return [int(word) for word in process.stdout.readline().split()]


def look(attachment, rate, seconds):
    """Looks so often for so long; how often it really did."""
    end, done, due = time.monotonic() + seconds, 0, time.monotonic()
    while time.monotonic() < end:
        if rate == 0:
            time.sleep(seconds)
            continue
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


def main(rounds=15, seconds=2.0):
    process = subprocess.Popen(
        [PROGRAM], env=dict(os.environ, LD_PRELOAD=str(LIBRARY)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip
    attachment = attach.find(process.pid)
    found = {name: [] for name in RATES}
    looks = {name: [] for name in RATES}
    for _ in range(rounds):
        for name, rate in RATES.items():
            while rate == 0 and attach.status.hidden_thread(process.pid) is not None:
                time.sleep(0.1)
            figure, done = measure(attachment, process, rate, seconds)
            found[name].append(figure)
            looks[name].append(done)
    process.stdin.close()
    process.wait()
    base = statistics.median(found["nobody"])
    print(f"{rounds} rounds of {seconds:g} s each; a look is one snapshot of all statistics")
    print(f"{'':14} {'looks/s':>8} {'Mcalls/s':>9} {'quarters':>15} {'slower':>7}")
    for name, figures in found.items():
        low, middle, high = statistics.quantiles(figures, n=4)
        rate = statistics.median(looks[name])
        print(
            f"{name:14} {rate:8.0f} {middle / 1e6:9.2f} {low / 1e6:7.2f} {high / 1e6:7.2f} "
            f"{(base / middle - 1) * 100:6.2f}%"
        )


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:])))
