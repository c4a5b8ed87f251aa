#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""diff.py LIBRARY PLAIN LINKED STATIC LEAK: `spillway ctl PID diff` on a program that leaks, and one that rests."""
import re
import unittest

from watched import LEAK, LINKED, program, spillway


class Diff(unittest.TestCase):
    def test_a_leak(self):
        with program(LEAK) as process:
            done = spillway("ctl", process.pid, "diff", "0.5")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            text = " ".join(done.stdout.split())
            self.assertRegex(text, rf"^watching_leak \(pid {process.pid}\), \d+\.\d s: live memory grew by ")
            found = re.search(
                r"Blocks of 30720 bytes grew by (\d+) \(.*?\), .*?/s: (\d+) were allocated, none was freed", text
            )  # fmt: skip
            self.assertIsNotNone(found, text)
            self.assertEqual(found[1], found[2])
            self.assertNotIn("53248", text)
            self.assertIn(f"`spillway ctl {process.pid} profile start`", text)

    def test_where_it_comes_from(self):
        with program(LEAK) as process:
            self.assertEqual(spillway("ctl", process.pid, "profile", "start", "4K").returncode, 0)
            done = spillway("ctl", process.pid, "diff", "0.5")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            text = " ".join(done.stdout.split())
            self.assertRegex(text, r"About .* more \(100 % of the growth\) by keep, called by serve, called by main")

    def test_nothing_grew(self):
        with program(LINKED, preload=False) as process:
            done = spillway("ctl", process.pid, "diff", "0.2")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Live memory stayed the same, 1.6 MiB.", " ".join(done.stdout.split()))


if __name__ == "__main__":
    unittest.main()
