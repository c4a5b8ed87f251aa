# SPDX-License-Identifier: MIT
"""Measuring one run: statuses, the whole process tree, memory that is not ours."""

import os
import signal
import subprocess
import unittest
from unittest import mock

import support
from spillway_cli import process
from spillway_cli.ab import measure
from spillway_cli.errors import UserError

from harness.interrupts import ENDING  # known once spillway_cli is

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

    def test_wall_is_until_the_command_ended(self):
        with mock.patch.object(measure, "time", support.Clock()):
            self.assertEqual(self.run_command("/bin/true").wall, support.Clock.STEP)

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
        with mock.patch.object(measure, "GRACE", support.HANG_SECONDS):
            sample = self.run_command("sh", "-c", f"perl -e '{burn}' & exit 4")
        self.assertEqual(sample.status, 4)
        self.assertGreaterEqual(sample.cpu, float(self.output()))
        self.assertFalse(sample.left_behind)

    def test_an_orphan_of_before_is_not_taken_for_the_command(self):
        measure.become_subreaper()
        orphan = int(subprocess.check_output(("sh", "-c", "setsid sleep 100000 >/dev/null & echo $!")))
        support.wait_until(lambda: orphan in process.children(os.getpid()))
        os.kill(orphan, signal.SIGKILL)
        self.assertEqual(self.run_command("sh", "-c", "exit 3").status, 3)

    def test_what_stays_is_killed(self):
        with mock.patch.object(measure, "GRACE", 0.1):
            sample = self.run_command("sh", "-c", "sleep 100000 & exit 0")
        self.assertTrue(sample.left_behind)
        with self.assertRaises(ChildProcessError):
            os.wait4(-1, 0)

    def test_a_run_without_end(self):
        with mock.patch.object(measure, "MAX_RUN", 0.1):
            self.assertTrue(self.run_command("sleep", "100000").timed_out)


class KillAll(unittest.TestCase):
    def test_signals_wait_until_all_are_reaped(self):
        reap = os.wait4

        def signalled(*arguments):
            for number in ENDING:
                os.kill(os.getpid(), number)
            return reap(*arguments)

        left = []
        for number in ENDING:
            before = signal.signal(number, lambda *_: left.append(process.descendants(os.getpid())))
            self.addCleanup(signal.signal, number, before)
        sleeping = subprocess.Popen(["sleep", "100000"])
        with mock.patch.object(measure.os, "wait4", signalled):
            measure.kill_all()
        sleeping.returncode = -signal.SIGKILL  # reaped by another
        self.assertEqual(left, [[]] * len(ENDING))

    def test_a_process_of_another_users(self):
        """The others are ended, and no wait is for it."""
        theirs = subprocess.Popen(["sleep", "100000"])
        ours = subprocess.Popen(["sleep", "100000"])
        kill = os.kill

        def refused(pid, number):
            if pid == theirs.pid:
                raise PermissionError
            kill(pid, number)

        said = rf"process {theirs.pid} \(sleep\): it is another user's"
        try:
            with mock.patch.object(measure.os, "kill", refused), self.assertRaisesRegex(UserError, said):
                measure.kill_all()
            with self.assertRaises(ChildProcessError):
                os.waitpid(ours.pid, 0)
        finally:
            theirs.kill()
            theirs.wait()
            ours.returncode = -signal.SIGKILL  # reaped by another


if __name__ == "__main__":
    unittest.main()
