#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""doctor.py LIBRARY PROGRAM: what `spillway doctor` says of `profile_sites`, whose requests are known, and of
processes that leave nothing behind.

Bounds are six standard deviations of the estimates.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
HUNG = 300  # seconds; ends what hangs
LONG = "5"  # seconds in which a process starts, and answers, on a busy machine, too
SPILLWAY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "spillway"
# What profile_sites asks for: calls and bytes below 4 KiB, below 1 MiB, and above.
CALLS, BYTES = (320_000, 16_000, 10), (63_450_000, 340_000_000, 30_000_000)
DEVIATION = (0.30, 0.12, 0.001)


def doctor(*arguments):
    """(status, its JSON, finding by topic)"""
    done = subprocess.run(
        [SPILLWAY, "doctor", "--json", "--lib", LIBRARY, *arguments],
        capture_output=True, text=True, check=False, timeout=HUNG,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return done.returncode, found, {one["topic"]: one for one in found["findings"]}


class Doctor(unittest.TestCase):
    def test_requests_by_size(self):
        status, found, topics = doctor("--", PROGRAM)
        self.assertEqual((status, topics["status"]["mark"]), (0, "ok"), topics["status"])
        self.assertEqual(found["requests"]["program"], os.path.basename(PROGRAM))
        for one, calls, size, deviation in zip(found["requests"]["sizes"], CALLS, BYTES, DEVIATION, strict=True):
            self.assertAlmostEqual(one["calls"], calls, delta=calls * deviation)
            self.assertAlmostEqual(one["bytes"], size, delta=size * deviation)
        self.assertEqual(found["verdict"]["answer"], "may help")

    def test_a_process_that_is_ended_is_looked_at_before(self):
        status, found, topics = doctor("--once", "--seconds", LONG, "--", "sleep", "1000")
        self.assertEqual(status, 0)
        self.assertIn("still ran", topics["status"]["text"])
        self.assertEqual(found["requests"]["program"], "sleep")
        self.assertEqual(found["verdict"]["answer"], "no difference")

    def test_a_program_that_clears_the_environment(self):
        status, found, topics = doctor("--once", "--seconds", LONG, "--", "env", "-i", "/bin/sleep", "1000")
        self.assertEqual((status, found["verdict"]), (1, None))
        self.assertIn("sleep ran without Spillway", topics["process"]["text"])


unittest.main(argv=sys.argv[:1])
