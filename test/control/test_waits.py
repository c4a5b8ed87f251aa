# SPDX-License-Identifier: MIT
"""A process is woken in whatever system call it waits, or while it computes, and does not notice:
no call ends early, and none with EINTR."""

import os
import subprocess
import unittest

from processes import UserError, WithProcesses, attach, program, request

PROGRAM = program(os.environ.get("WAITS", "control_waits"))
NAMES = subprocess.run([PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
LIBRARY = os.environ["LIBRARY"] if "WAITS" not in os.environ else None


class Waits(WithProcesses):
    def test_until_something_happens(self):
        waiting = {}
        for name in NAMES:
            if name.startswith("until_"):
                waiting[name], line = self.start(PROGRAM, name, library=LIBRARY)
                self.assertEqual(line, "waiting")
        for name, process in waiting.items():
            with self.subTest(name):
                self.assertTrue(request(process.pid, "purge").startswith("purged "))
        for name, process in waiting.items():
            with self.subTest(name):
                self.assertIsNone(process.poll())
                process.stdin.write("x")
                self.finish(process)

    def test_for_a_time(self):
        """The program itself checks that it waited for so long at least."""
        for name in NAMES:
            if not name.startswith("until_"):
                with self.subTest(name):
                    self.wake_in_time(name)

    def wake_in_time(self, name):
        milliseconds = 300
        while milliseconds < 60000:
            process, _ = self.start(PROGRAM, name, str(milliseconds), library=LIBRARY)
            try:
                attach.find(process.pid).request("purge")
                self.finish(process)
                return
            except (UserError, AttributeError):  # too late: it waits no more
                process.wait()
                self.assertEqual(process.returncode, 0)
                milliseconds *= 2
        self.fail(f"{name} was never woken")


if __name__ == "__main__":
    unittest.main()
