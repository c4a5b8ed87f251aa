#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""hardened.py LIBRARY PROGRAM: what hardened mode and each of its parts do about misuse, as a table.

Each cell runs PROGRAM (hardened.c) once. FAULT: a signal at the misuse itself, after a line
that names the nearest block; TOLD: SIGABRT after a line that names
the block; otherwise what the program prints.
"""
import re
import resource
import signal
import subprocess
import sys

FAULT, PAST, BEFORE, WHILE_FREE = "fault", "write past the end", "write before the start", "write to free memory"
TOLD = re.compile(r"spillway: (write past the end of|write before the start of|write to free memory at) 0x[0-9a-f]+"
                  r", a block of (\d+) bytes\n")
EXPLAINED = re.compile(r"spillway: access to 0x[0-9a-f]+, \d+ bytes (?:before the start of|past the end of|inside) "
                       r"a (freed )?block of (\d+) bytes\n")
HARMLESS, OTHER, SHUFFLED = "no secret", "other", "shuffled"
SMALL, PAGED = (24, 1000), (4096, 5000, 65536, 1048576, 5000000, 67108864)


def expected_when_hardened(action, size):
    whole_pages, whole_units = size % 4096 == 0, size % 16 == 0
    if action == "overflow":
        return FAULT if size >= 4096 and whole_units else PAST
    if action in ("overflow_far", "overread", "underflow_far"):
        return FAULT if size >= 4096 else None
    if action == "underflow":
        return (FAULT if whole_pages else BEFORE) if size >= 4096 else None
    if action == "write_after_free":
        return FAULT if size >= 4096 else WHILE_FREE
    if action == "read_after_free":
        return FAULT if size >= 4096 else HARMLESS
    return {"stale": HARMLESS, "reuse": OTHER, "place": SHUFFLED}[action]


ACTIONS = ("overflow", "overflow_far", "overread", "underflow", "underflow_far", "write_after_free", "read_after_free",
           "stale", "reuse", "place")
# What one part does by itself: (SPILLWAY_CONF, action, size, outcome).
PARTS = [
    ("guard_pages:1", "overflow_far", 5000, FAULT),
    ("guard_pages:1", "overread", 5000, FAULT),
    ("guard_pages:1", "underflow_far", 5000, FAULT),
    ("guard_pages:1", "write_after_free", 5000, FAULT),
    ("guard_pages:1", "stale", 65536, HARMLESS),
    ("zero_on_free:1", "read_after_free", 24, HARMLESS),
    ("zero_on_free:1", "read_after_free", 5000, HARMLESS),
    ("zero_on_free:1", "write_after_free", 24, WHILE_FREE),
    ("zero_on_free:1", "write_after_free", 1048576, WHILE_FREE),
    ("canaries:1", "overflow", 24, PAST),
    ("canaries:1", "overflow", 4096, PAST),
    ("canaries:1", "underflow", 5000, BEFORE),
    ("random_placement:1", "place", 24, SHUFFLED),
    ("random_placement:1", "place", 65536, SHUFFLED),
    ("quarantine:16", "reuse", 24, OTHER),
    ("quarantine:16", "reuse", 65536, OTHER),
    ("hardened:1,guard_pages:0", "write_after_free", 5000, WHILE_FREE),
    ("hardened:1,canaries:0", "overflow", 5000, "survived"),
    ("hardened:1,zero_on_free:0", "read_after_free", 24, "secret"),
    ("guard_sample:1", "overflow", 4096, FAULT),
    ("guard_sample:1", "overflow", 5000, PAST),
    ("guard_sample:1", "write_after_free", 65536, FAULT),
    ("guard_sample:1", "overflow_far", 5000000, FAULT),
    ("guard_sample:1", "overflow_far", 24, FAULT),
    ("guard_sample:1", "write_after_free", 24, FAULT),
    ("guard_sample:1,canaries:0", "overflow", 5000, "survived"),
    ("hardened:0", "reuse", 65536, "same"),
]


def outcome(library, program, conf, action, size):
    no_core = lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    result = subprocess.run([program, action, str(size)], env={"LD_PRELOAD": library, "SPILLWAY_CONF": conf},
                            preexec_fn=no_core, capture_output=True, text=True, timeout=600)
    if result.returncode in (-signal.SIGSEGV, -signal.SIGBUS):
        explained = EXPLAINED.fullmatch(result.stderr)
        right = explained and int(explained[2]) == size and bool(explained[1]) == action.endswith("_after_free")
        return FAULT if right else f"fault after {result.stderr!r}"
    told = TOLD.fullmatch(result.stderr)
    if result.returncode == -signal.SIGABRT and told and int(told[2]) == size:
        return told[1].removesuffix(" of").removesuffix(" at")
    if result.returncode != 0 or result.stderr:
        return f"status {result.returncode}, {result.stderr!r}"
    return result.stdout.splitlines()[0]


library, program = sys.argv[1:]
cells = [("hardened:1", action, size, expected_when_hardened(action, size))
         for action in ACTIONS for size in SMALL + PAGED]
failures = 0
for conf, action, size, expected in cells + PARTS:
    if expected is None:
        continue
    found = outcome(library, program, conf, action, size)
    if found != expected:
        failures += 1
        print(f"{conf} {action} {size}: {found} instead of {expected}")
print(f"{len(cells) + len(PARTS)} cells, {failures} of them wrong")
sys.exit(1 if failures else 0)
