# SPDX-License-Identifier: MIT
"""The runner of test/programs: ends, processes left behind, the headers of its scripts."""
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAMS = pathlib.Path(__file__).resolve().parents[1] / "programs"
sys.path.insert(0, str(PROGRAMS))
import bounded  # noqa: E402
import packages  # noqa: E402
import run  # noqa: E402


def bash(text, seconds=300, **more):
    with tempfile.TemporaryDirectory() as folder:
        return bounded.run(["/bin/bash", "-c", text], folder, {"PATH": "/usr/bin:/bin"}, seconds, **more)


class Bounded(unittest.TestCase):
    def test_output_and_status_are_the_commands(self):
        result = bash("echo out; echo err >&2; exit 7")
        self.assertEqual((result.status, result.out, result.err, result.left), (7, b"out\n", b"err\n", 0))

    def test_a_signal_is_a_negative_status(self):
        self.assertEqual(bash("kill -TERM $$").status, -15)

    def test_a_command_without_end_is_ended_with_its_children(self):
        result = bash("(exec sleep 1000) & echo $!; exec sleep 1000", seconds=1)
        self.assertIsNone(result.status)
        process = pathlib.Path("/proc", str(int(result.out)))
        self.assertFalse((process / "fd").exists() and (process / "exe").exists())

    def test_processes_left_behind_are_counted_and_ended(self):
        result = bash("set -m; sleep 1000 & sleep 1000 & exit 0", grace=0)
        self.assertEqual((result.status, result.left), (0, 2))

    def test_executables_with_the_library_are_seen(self):
        # A thread looks, in a process that may get little of the processor: so the command waits for it.
        class Seen(set):
            def add(self, name):
                super().add(name)
                if name == "sleep":
                    process.kill()

        seen, done = Seen(), threading.Event()
        with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
            watcher = threading.Thread(target=bounded._watch, args=(process.pid, "/libc.so.6", seen, done))
            watcher.start()
            self.assertEqual(process.wait(), -9)
            done.set()
            watcher.join()
        self.assertIn("sleep", seen)


class Scripts(unittest.TestCase):
    def test_each_says_what_it_runs_and_needs(self):
        paths = run.paths()
        self.assertGreaterEqual(len(paths), 40)
        self.assertGreaterEqual(len({path.parent.name for path in paths}), 10)
        self.assertEqual(len({path.name for path in paths}), len(paths))
        for path in paths:
            script = run.Script(path)
            with self.subTest(script.name):
                self.assertTrue(script.what.strip())
                self.assertTrue(script.packages)
                self.assertGreaterEqual(script.limit, run.LIMIT)

    def test_missing_packages(self):
        self.assertEqual(packages.missing(["bash", "spillway-has-no-such-package", "spillway-neither:bash"]),
                         ["spillway-has-no-such-package"])


if __name__ == "__main__":
    unittest.main()
