#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""options.py LIBRARY PROGRAM: options from the environment. PROGRAM is `apart`; LIBRARY is preloaded.

A wrong option gives exactly one line on stderr and the default; a right one gives none and works.
"""
import os
import re
import subprocess
import sys

library, program = sys.argv[1:]
failures = 0

# Two sizes inside, and two above, a window that ends at 64 KiB.
MIDDLE, UPPER, LOWER = ("16384", "20480"), ("262144", "786432"), ("4096", "8192")


def run(sizes, options):
    environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": library, **options}
    result = subprocess.run([program, *sizes], env=environment, capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout.strip(), result.stderr.splitlines()


def expect(options, pooled, *messages, sizes=MIDDLE):
    """`pooled`: whether the sizes come from the arena; `messages`: per stderr line, the patterns it must have."""
    global failures
    status, place, lines = run(sizes, options)
    wrong = []
    if status != 0:
        wrong.append(f"exit status {status}")
    elif place != ("apart" if pooled else "together"):
        wrong.append(f"blocks of {sizes} are {place}")
    if len(lines) != len(messages):
        wrong.append(f"{len(lines)} lines on stderr, {len(messages)} expected")
    for line, patterns in zip(lines, messages):
        for pattern in ("^spillway: ", *patterns):
            if not re.search(pattern, line, re.IGNORECASE):
                wrong.append(f"no '{pattern}' in the line")
    if wrong:
        failures += 1
        print(f"{options}: {'; '.join(wrong)}\n  " + "\n  ".join(lines))


def unknown(name, nearest):
    return (r"unknown", rf"\b{re.escape(name)}\b", rf"\b{nearest}\b")


# Right ones.
expect({}, True)
expect({}, True, sizes=UPPER)
expect({}, True, sizes=LOWER)
expect({"SPILLWAY_ENABLED": "1"}, True)
expect({"SPILLWAY_ENABLED": "0"}, False)
expect({"SPILLWAY_ENABLED": "0"}, False, sizes=UPPER)
expect({"SPILLWAY_MAX_SIZE": "65536"}, True)
expect({"SPILLWAY_MAX_SIZE": "65536"}, False, sizes=UPPER)
expect({"SPILLWAY_MIN_SIZE": "16384"}, False, sizes=LOWER)
expect({"SPILLWAY_MIN_SIZE": "16384"}, True)
expect({"SPILLWAY_CACHE_BUDGET": "0"}, True)
expect({"SPILLWAY_ON_MISUSE": "report"}, True)
expect({"SPILLWAY_DEEPBIND": "kept"}, True)
expect({"SPILLWAY_CONF": "deepbind:cleared,enabled:0"}, False)
expect({"SPILLWAY_CONF": "enabled:0"}, False)
expect({"SPILLWAY_CONF": "max_size:65536,min_size:4096"}, False, sizes=UPPER)
expect({"SPILLWAY_CONF": "max_size:65536,on_misuse:ignore,cache_budget:1048576"}, True)
expect({"SPILLWAY_CONF": ""}, True)
expect({"SPILLWAYS": "1", "SPILLWA": "2", "XSPILLWAY_ENABLED": "0"}, True)

# Unknown names: the nearest one is named.
expect({"SPILLWAY_MAX_SISE": "65536"}, True, unknown("max_sise", "max_size"), sizes=UPPER)
expect({"SPILLWAY_ENABLE": "0"}, True, unknown("enable", "enabled"))
expect({"SPILLWAY_CONF": "enabeld:0"}, True, unknown("enabeld", "enabled"))
expect({"SPILLWAY_CONF": "max_sise:65536,enabled:0"}, False, unknown("max_sise", "max_size"))
expect({"SPILLWAY_CONF": "on_missuse:report,min_sze:4096"}, True, unknown("on_missuse", "on_misuse"),
       unknown("min_sze", "min_size"))

# Out of bounds or no value at all: the bounds or the valid words, and that the default is used.
DEFAULT = r"\busing\b|\bdefault\b"
expect({"SPILLWAY_ENABLED": "2"}, True, (r"\benabled\b", r"\b0\b", r"\b1\b", DEFAULT))
expect({"SPILLWAY_ENABLED": "yes!"}, True, (r"\benabled\b", DEFAULT))
expect({"SPILLWAY_ENABLED": ""}, True, (r"\benabled\b", DEFAULT))
expect({"SPILLWAY_MAX_SIZE": "1"}, True, (r"\bmax_size\b", r"4096|4K", r"1048576|1M", DEFAULT), sizes=UPPER)
expect({"SPILLWAY_MAX_SIZE": "99999999999999999999999"}, True,
       (r"\bmax_size\b", r"4096|4K", r"1048576|1M", DEFAULT), sizes=UPPER)
expect({"SPILLWAY_MAX_SIZE": "-65536"}, True, (r"\bmax_size\b", DEFAULT), sizes=UPPER)
expect({"SPILLWAY_MIN_SIZE": "banana"}, True, (r"\bmin_size\b", DEFAULT), sizes=LOWER)
expect({"SPILLWAY_ON_MISUSE": "shout"}, True,
       (r"\bon_misuse\b", r"\babort\b", r"\breport\b", r"\bignore\b", DEFAULT))
expect({"SPILLWAY_DEEPBIND": "0"}, True, (r"\bdeepbind\b", r"\bcleared\b", r"\bkept\b", DEFAULT))
expect({"SPILLWAY_CONF": "enabled:7,max_size:65536"}, False, (r"\benabled\b", DEFAULT), sizes=UPPER)

# Garbage: reported, never fatal, never a heap without defaults. How many lines it takes is not fixed.
for garbage in (":::,,,", "enabled", ",", "=", "a" * 5000, "max_size:65536" + "," * 3000, "\xff\xfe:1", "enabled:0:1",
                "%s%n%n:%d", " ", "two\nlines:1", "enabled:\n\n"):
    status, place, lines = run(MIDDLE, {"SPILLWAY_CONF": garbage})
    stray = [line for line in lines if not line.startswith("spillway: ")]
    if status != 0 or place != "apart" or stray:
        failures += 1
        print(f"SPILLWAY_CONF={garbage[:40]!r}: status {status}, {place}, stderr {stray[:3]}")

# verbose prints the effective options, each on a line with the prefix.
status, place, lines = run(MIDDLE, {"SPILLWAY_VERBOSE": "1", "SPILLWAY_MAX_SIZE": "65536"})
text = "\n".join(lines)
if status != 0 or not all(line.startswith("spillway: ") for line in lines) or not re.search(r"max_size.*65536|max_size.*64K", text):
    failures += 1
    print(f"SPILLWAY_VERBOSE=1: status {status}, stderr\n{text}")

sys.exit(1 if failures else 0)
