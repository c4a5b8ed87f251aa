#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench_contention as a program: counts of an allocator whose every call is known, and command lines.

usage: program.py BENCH_CONTENTION KNOWN_LIBRARY
"""
import json
import os
import subprocess
import sys
import unittest

PROGRAM, LIBRARY = sys.argv[1:3]
MILLION = 1_000_000


def run(*arguments, **environment):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment}, check=False)


def counts(row, **environment):
    done = run("--smoke", "--json", "-", "--filter", row, "--where", "5", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Counts(unittest.TestCase):
    def test_known_allocator(self):
        answer = counts("pair/1/4K-64K/8t", LD_PRELOAD=LIBRARY)
        self.assertEqual(answer["context"]["malloc_from"], os.path.realpath(LIBRARY))
        (row,) = answer["results"]
        self.assertEqual(row["threads"], 8)
        # Half of the operations are malloc: one addition each. Calls under way at the first and the
        # last moment count in part.
        self.assertAlmostEqual(row["rmw"], MILLION / 2, delta=MILLION * 8 / row["operations"])
        self.assertAlmostEqual(row["calls"]["getpid"], row["operations"] / 2, delta=8)
        self.assertEqual(list(row["calls"]), ["getpid"])
        # The counter's line: with eight threads the last user is another seven times in eight.
        self.assertEqual(row["shared_lines"], 1)
        self.assertAlmostEqual(row["transfers"], row["rmw"] * 7 / 8, delta=MILLION / 10)
        first = max(row["sites"], key=lambda site: site["rmw"])
        self.assertIn("contention_known.so+0x", first["place"])
        self.assertIn("malloc+0x", first["place"])

    def test_one_thread_shares_nothing(self):
        (row,) = counts("pair/1/4K-64K/1t", LD_PRELOAD=LIBRARY)["results"]
        self.assertAlmostEqual(row["rmw"], MILLION / 2, delta=MILLION / row["operations"])
        self.assertEqual((row["transfers"], row["shared_lines"]), (0, 0))

    def test_same_counts_each_time(self):
        first, second = (counts("replace/64/4K-64K/8t")["results"] for _ in range(2))
        self.assertEqual(first, second)

    def test_another_seed_is_another_interleaving(self):
        rows = [json.loads(run("--smoke", "--json", "-", "--filter", "replace/64/4K-64K/8t",
                               "--seed", seed).stdout)["results"][0] for seed in ("1", "2")]
        self.assertNotEqual(rows[0]["instructions"], rows[1]["instructions"])

    def test_processors(self):
        # glibc has as many arenas as fit the processors that it is told of.
        shared = [json.loads(run("--smoke", "--json", "-", "--filter", "pair/1/4K-64K/64t",
                                 "--cores", cores).stdout)["results"][0]["shared_lines"]
                  for cores in ("1", "64")]
        self.assertGreater(shared[0], shared[1])


class Failures(unittest.TestCase):
    def failure(self, status, *arguments, **environment):
        done = run(*arguments, **environment)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_lock_that_is_never_given_back(self):
        line = self.failure(1, "--quick", "--filter", "pair/1/4K-64K/2t", LD_PRELOAD=LIBRARY, HANG="lock")
        self.assertIn("pair/1/4K-64K/2t: all threads wait", line)

    def test_endless_loop(self):
        line = self.failure(1, "--quick", "--filter", "pair/1/4K-64K/2t", LD_PRELOAD=LIBRARY, HANG="spin")
        self.assertIn("given up after", line)

    def test_command_line(self):
        for arguments in (["--seed", "x"], ["--filter", "no such row"], ["--cores", "0"],
                          ["--where"], ["--nonsense"], ["--smoke", "--quick"], ["operand"],
                          ["--json", "/nonexistent/file"]):
            with self.subTest(arguments):
                self.failure(2, *arguments)


if __name__ == "__main__":
    if run("--smoke", "--list").returncode == 77:
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
