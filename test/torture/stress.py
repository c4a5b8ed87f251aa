#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""stress.py LIBRARY PROGRAM INFO SECONDS [SEED]: PROGRAM (stress.cc) with LIBRARY preloaded, again and again for SECONDS.

Each run has other options, drawn at random from the table that INFO (spillway_info) prints, so that new ones come by
themselves. Prints what a failed run was: its seed and its options. The first run has SEED, by default the clock's.
"""
import os
import random
import resource
import subprocess
import sys
import time

SKIPPED = 77
HANG_SECONDS = 1200  # only ends what hangs
STEPS = 60000
MEBIBYTES = 256
MIN_RUNS = 3
PROGRESS_SECONDS = 60
TEXTS = {"prefill": ("64K:4", "4K:32", "1M:2+20000:5"), "tenant_limits": ("one=1M", "two=64K+other=1G")}
# So often is an option set at all; `enabled` less, or most runs would be mimalloc's.
SHARE = 0.3
SHARES = {"enabled": 0.08, "hard_limit": 0.15}


def table(info):
    """(name, type, bounds or words) of each option."""
    lines = subprocess.run([info, "options"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return [(fields[0], fields[1], fields[3]) for fields in (line.split("\t") for line in lines)]


def number(draw, bounds):
    """Within MIN..MAX, by logarithm; or the word after `or`."""
    bounds, _, word = bounds.partition(" or ")
    if word and draw.random() < 0.2:
        return word
    low, high = (int(bound) for bound in bounds.split(", ")[-1].split(".."))
    return str(min(high, low + int((high - low + 1) ** draw.random()) - 1))


def value(draw, kind, bounds):
    match kind:
        case "flag" | "number" | "bytes":
            return number(draw, bounds)
        case "limit":
            return f"{draw.randint(1, 100)}%" if draw.random() < 0.3 else number(draw, bounds)
        case "choice":
            return draw.choice(bounds.split("|"))
        case "path":
            return "/dev/null"
    return None


def options(draw, rows):
    chosen = {}
    for name, kind, bounds in rows:
        if draw.random() < SHARES.get(name, SHARE):
            text = draw.choice(TEXTS[name]) if name in TEXTS else value(draw, kind, bounds)
            if text is not None:
                chosen[name] = text
    if chosen.get("stats", "off") != "off":
        chosen["stats_file"] = "/dev/null"
    return chosen


def problem(seed, chosen):
    conf = ",".join(f"{name}:{text}" for name, text in chosen.items())
    may_fail = "1" if "hard_limit" in chosen else "0"
    environment = dict(os.environ, LD_PRELOAD=library, SPILLWAY_CONF=conf)
    try:
        done = subprocess.run([program, str(seed), str(STEPS), str(MEBIBYTES), may_fail], env=environment,
                              capture_output=True, timeout=HANG_SECONDS, check=False, text=True)
    except subprocess.TimeoutExpired:
        return f"no end in {HANG_SECONDS} seconds"
    if done.returncode == SKIPPED:
        print(done.stdout, end="")
        sys.exit(SKIPPED)
    # What `verbose` says has " = ", and what is wrong with options begins so; anything else is a complaint.
    wrong = [line for line in done.stderr.splitlines() if " = " not in line and "spillway: option " not in line]
    if done.returncode == 0 and not wrong:
        return None
    return f"status {done.returncode}: {' '.join(wrong)}"


def main():
    seconds = float(sys.argv[4])
    first = int(sys.argv[5]) if len(sys.argv) > 5 else time.time_ns() // 1000000 % 1000000000
    rows = table(sys.argv[3])
    start = said = time.monotonic()
    seed = first
    failed = 0
    print(f"seed {first}", flush=True)
    while time.monotonic() - start < seconds or seed - first < MIN_RUNS:
        draw = random.Random(seed)
        chosen = options(draw, rows)
        text = problem(seed, chosen)
        if text:
            failed += 1
            conf = ",".join(f"{name}:{text}" for name, text in chosen.items())
            print(f"seed {seed}, SPILLWAY_CONF={conf}: {text}", flush=True)
        seed += 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"{seed - first} runs, {failed} failed", flush=True)
    print(f"{seed - first} runs, {failed} failed")
    return 1 if failed else 0


library, program = (os.path.realpath(path) for path in sys.argv[1:3])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.exit(main())
