#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""limit_options.py LIBRARY PROGRAM: how limit and hard_limit may be written. PROGRAM is `limit`; LIBRARY is preloaded.

A wrong value gives exactly one line on stderr, with the value and what may stand there, and no limit.
"""
import os
import re
import subprocess
import sys

library, program = sys.argv[1:]
failures = 0


def run(arguments, options):
    environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": library, **options}
    result = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    return result.returncode, result.stderr.splitlines()


def fail(options, text):
    global failures
    failures += 1
    print(f"{options}: {text}")


for name in ("LIMIT", "HARD_LIMIT"):
    for right in ("none", "64M", "64m", "1G", "67108864", "1%", "50%", "100%", "262144K"):
        for options in ({f"SPILLWAY_{name}": right}, {"SPILLWAY_CONF": f"{name.lower()}:{right}"}):
            status, lines = run(("fits", "0"), options)
            if status != 0 or lines:
                fail(options, f"status {status}, stderr {lines}")
    for wrong in ("", "0", "0%", "101%", "%", "50%%", "5 %", "-1", "-5", "-5%", "1.5G", "256X", "10e3", "banana", "99999999999999999999"):
        options = {f"SPILLWAY_{name}": wrong}
        status, lines = run(("fits", "0"), options)
        clear = len(lines) == 1 and re.fullmatch(
            rf"spillway: option {name.lower()}: '{re.escape(wrong)}' is not .*1%.*100%.*none.*; using none", lines[0])
        if status != 0 or not clear:
            fail(options, f"status {status}, stderr {lines}")

# The soft one below any use does no harm; above it there is only the callback.
status, lines = run(("fits", "0"), {"SPILLWAY_LIMIT": "1"})
if status != 0 or lines:
    fail("limit:1", f"status {status}, stderr {lines}")
# The hard one below any use refuses pooled sizes; the program says so and nothing crashes.
status, lines = run(("fits", "0"), {"SPILLWAY_HARD_LIMIT": "1"})
if status != 1 or len(lines) != 1 or "malloc" not in lines[0]:
    fail("hard_limit:1", f"status {status}, stderr {lines}")

# One per cent is one of the machine's memory at most; of a control group's, if that is less.
memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
if 200 <= memory_mib <= 100 * 1024:
    status, lines = run(("most", str(memory_mib // 100)), {"SPILLWAY_HARD_LIMIT": "1%"})
    if status != 0 or lines:
        fail("hard_limit:1%", f"status {status}, stderr {lines}")

sys.exit(1 if failures else 0)
