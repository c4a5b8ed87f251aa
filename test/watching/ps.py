#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""ps.py LIBRARY PLAIN LINKED STATIC LEAK: `spillway ps` beside programs of each kind."""
import contextlib
import json
import os
import re
import unittest

from terminal import HANG_SECONDS, Terminal
from watched import LINKED, PLAIN, SPILLWAY, STATIC, program, spillway


class Ps(unittest.TestCase):
    def test_each_kind(self):
        with contextlib.ExitStack() as stack:
            expected = {}
            for path, how in ((PLAIN, "preloaded"), (LINKED, "linked"), (STATIC, "static")):
                process = stack.enter_context(program(path, preload=how == "preloaded"))
                expected[process.pid] = how, os.path.basename(path)[:15]
            without = stack.enter_context(program(PLAIN, preload=False))
            done = spillway("ps", "--json")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found = {one["pid"]: one for one in json.loads(done.stdout)["processes"]}
            self.assertNotIn(without.pid, found)
            for pid, (how, name) in expected.items():
                one = found[pid]
                self.assertEqual((one["how"], one["program"], one["purge"]), (how, name, "1 s"))
                self.assertIsNone(one["live_bytes"])  # no tool watches
                self.assertGreater(one["resident_bytes"], 0)
            text = spillway("ps").stdout
            for pid, (how, name) in expected.items():
                self.assertRegex(text, rf"(?m)^ *{pid} +\S+ +{name} +{how} +\d+\.\d+\.\d+ ")

    def test_watching(self):
        command = f"{SPILLWAY} ps --watch 0.2"
        with program(LINKED, preload=False) as process, Terminal(command, 120, 500) as terminal:
            line = re.compile(rf"(?m)^ *{process.pid} ")
            terminal.wait_until(line.search, "the process")
            process.kill()
            process.wait(timeout=HANG_SECONDS)
            terminal.wait_until(lambda shown: not line.search(shown), "a list without it")
            terminal.press("C-c")
            terminal.wait_for("status 130")

    def test_what_somebody_watches_has_its_live_bytes(self):
        with program(LINKED, preload=False) as process:
            self.assertEqual(spillway("top", "--once", "-i", "0.05", process.pid).returncode, 0)
            found = json.loads(spillway("ps", "--json").stdout)["processes"]
            live = [one["live_bytes"] for one in found if one["pid"] == process.pid]
            self.assertGreaterEqual(live[0], 100 * 16384)


if __name__ == "__main__":
    unittest.main()
