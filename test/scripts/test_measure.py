# SPDX-License-Identifier: MIT
"""Measuring one run: statuses, the whole process tree, memory that is not ours."""

import os
import unittest
from unittest import mock

import support
from spillway_cli.ab import measure

PLAIN = "libc.so.6"


class Measure(support.WithFolder):
    def run_command(self, *command):
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            return measure.run(command, PLAIN, out, err)

    def output(self):
        return (self.folder / "out").read_text(encoding="utf-8")

    def test_statuses(self):
        self.assertEqual(self.run_command("/bin/true").status, 0)
        self.assertEqual(self.run_command("sh", "-c", "exit 3").status, 3)
        self.assertEqual(self.run_command("sh", "-c", "kill -SEGV $$").status, -11)
        self.assertEqual(self.run_command("/no/such/program").status, 127)

    def test_wall_is_always_measured(self):
        for _ in range(50):
            self.assertGreater(self.run_command("/bin/true").wall, 0.0)

    def test_the_library_is_in_the_environment(self):
        self.run_command("sh", "-c", "echo $LD_PRELOAD; cat")
        self.assertEqual(self.output(), f"{PLAIN}\n")

    def test_variables_are_added(self):
        with open(self.folder / "out", "wb") as out:
            measure.run(("sh", "-c", "echo $LD_PRELOAD $A"), PLAIN, out, out, {"A": "b c"})
        self.assertEqual(self.output(), f"{PLAIN} b c\n")

    def test_our_own_memory_is_not_counted(self):
        ballast = b"x" * (100 << 20)
        self.assertLess(self.run_command("/bin/true").peak_rss, len(ballast) // 4)

    def test_orphans_are_waited_for_and_counted(self):
        # Much beside what starting it takes; what it reports is a little less than what it used.
        burn = "do { ($user, $system) = times } until $user + $system >= 0.2; print $user + $system"
        with mock.patch.object(measure, "LINGER", support.HANG_SECONDS):
            sample = self.run_command("sh", "-c", f"perl -e '{burn}' & exit 4")
        self.assertEqual(sample.status, 4)
        self.assertGreaterEqual(sample.cpu, float(self.output()))
        self.assertFalse(sample.left_behind)

    def test_what_stays_is_killed(self):
        with mock.patch.object(measure, "LINGER", 0.1):
            sample = self.run_command("sh", "-c", "sleep 100000 & exit 0")
        self.assertTrue(sample.left_behind)
        with self.assertRaises(ChildProcessError):
            os.wait4(-1, 0)

    def test_a_run_without_end(self):
        with mock.patch.object(measure, "LONGEST_RUN", 0.1):
            self.assertTrue(self.run_command("sleep", "100000").timed_out)


if __name__ == "__main__":
    unittest.main()
