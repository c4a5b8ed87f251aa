#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""prefill_options.py LIBRARY PROGRAM: how prefill may be written. PROGRAM is `apart`; LIBRARY is preloaded.

A wrong entry gives exactly one line on stderr with its text; the others count: their memory is there.
"""
import os
import re
import subprocess
import sys

library, program = sys.argv[1:]
failures = 0
STATISTICS = {"SPILLWAY_STATS": "prometheus"}


def run(options):
    """Exit status, messages, and the bytes that were taken into use."""
    environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": library, **STATISTICS, **options}
    result = subprocess.run([program, "16384", "20480"], env=environment, capture_output=True, text=True, timeout=300)
    lines = result.stderr.splitlines()
    grown = [int(line.split()[1]) for line in lines if line.startswith("spillway_pool_grown_bytes{")]
    return result.returncode, [line for line in lines if line.startswith("spillway: ")], grown


status, lines, grown = run({})
if status != 0 or lines or len(grown) != 1:
    sys.exit(f"without prefill: status {status}, {lines}, {grown}")
without = grown[0]


def expect(options, min_bytes, *wrong):
    """`min_bytes` that the right entries ask for; `wrong`: the entries that are reported."""
    global failures
    status, lines, grown = run(options)
    told = len(lines) == len(wrong) and all(
        re.search(rf"\bprefill\b.*'{re.escape(entry)}'.*64K:32", line) for entry, line in zip(wrong, lines))
    # What the program itself takes may come out of it.
    enough = len(grown) == 1 and min_bytes <= grown[0] + 1 <= without + 2 * min_bytes + (8 << 20) + 1
    if status != 0 or not told or not enough:
        failures += 1
        print(f"{options}: status {status}, pool {grown}, stderr:\n  " + "\n  ".join(lines))


MIB = 1 << 20
expect({"SPILLWAY_PREFILL": "64K:32,1M:4"}, 6 * MIB)
expect({"SPILLWAY_PREFILL": "64K:32+1M:4"}, 6 * MIB)
expect({"SPILLWAY_PREFILL": "65536:32,1048576:4"}, 6 * MIB)
expect({"SPILLWAY_PREFILL": "64k:32,1m:4"}, 6 * MIB)
expect({"SPILLWAY_CONF": "prefill:64K:32+1M:4"}, 6 * MIB)
expect({"SPILLWAY_CONF": "thp:never,prefill:64K:32+1M:4,verbose:0"}, 6 * MIB)
expect({"SPILLWAY_PREFILL": "none"}, 0)
expect({"SPILLWAY_PREFILL": ""}, 0)
expect({"SPILLWAY_PREFILL": "5000:3"}, 15000)
for entry in ("64K", "64K:", ":4", "64K:0", "64K:-1", "100:4", "2M:1", "64K:4:4", "64K:four", "banana", "64K:2000000", "64 K:1"):
    expect({"SPILLWAY_PREFILL": entry}, 0, entry)
    expect({"SPILLWAY_PREFILL": f"64K:32,{entry},1M:4"}, 6 * MIB, entry)
expect({"SPILLWAY_PREFILL": "x,64K:32,y"}, 2 * MIB, "x", "y")
expect({"SPILLWAY_CONF": "prefill:x+64K:32+y"}, 2 * MIB, "x", "y")
# Nothing to fill with the pool off.
expect({"SPILLWAY_PREFILL": "64K:32", "SPILLWAY_ENABLED": "0"}, 0)
# More than a limit allows, or than there is: what there is.
for options in ({"SPILLWAY_HARD_LIMIT": "4M"}, {"SPILLWAY_PURGE_DELAY": "never"}, {"SPILLWAY_PURGE_THREAD": "0"}, {"SPILLWAY_CACHE_BUDGET": "0"}):
    expect({"SPILLWAY_PREFILL": "64K:16,1M:2", **options}, 3 * MIB)

sys.exit(1 if failures else 0)
