# SPDX-License-Identifier: MIT
"""`spillway ps`: the table, and what a process's environment says of its options."""

import dataclasses
import unittest

import support
from spillway_cli import ps

ONE = ps.Entry(
    pid=4242, user="root", program="redis-server", version="0.1.0", how="preloaded", control="open",
    up_seconds=61.5, resident_bytes=12 << 20, live_bytes=None, purge="1 s",
)  # fmt: skip


class Layout(unittest.TestCase):
    def test_a_line_for_each_by_pid(self):
        lines = ps.layout([ONE, dataclasses.replace(ONE, pid=7, live_bytes=3 << 20)], 0).splitlines()
        self.assertEqual(
            [line.split() for line in lines],
            [
                ["PID", "USER", "PROGRAM", "HOW", "VERSION", "UP", "RESIDENT", "LIVE", "PURGE"],
                ["7", "root", "redis-server", "preloaded", "0.1.0", "0:01:01", "12.0", "MiB", "3.0", "MiB", "1", "s"],
                ["4242", "root", "redis-server", "preloaded", "0.1.0", "0:01:01", "12.0", "MiB", "-", "1", "s"],
            ],
        )  # fmt: skip
        self.assertEqual(len(lines[0].rstrip()), lines[0].index("PURGE") + 5)
        self.assertEqual(lines[1].index("1 s"), lines[0].index("PURGE"))

    def test_a_process_that_answers_nobody(self):
        text = ps.layout([dataclasses.replace(ONE, control="off")], 0)
        self.assertIn(" preloaded (off) ", text)

    def test_foreign_names(self):
        for name in ("\x1b[2J\n", "値" * 30, "x" * 300):
            text = ps.layout([dataclasses.replace(ONE, program=name)], 0)
            self.assertEqual(len(text.splitlines()), 2)
            self.assertNotIn("\x1b", text)
            self.assertTrue(all(len(line) < 110 for line in text.splitlines()))

    def test_none_and_those_of_others(self):
        self.assertIn("No process", ps.layout([], 0))
        self.assertIn("1 other process: not allowed", ps.layout([], 1))
        self.assertEqual(ps.layout([ONE], 3).splitlines()[-1], "3 other processes: not allowed to look.")


    def test_what_fits_a_terminal(self):
        lines = [str(number) * 9 for number in range(5)]
        self.assertEqual(ps.fit(lines, 80, 5), lines)
        self.assertEqual(ps.fit(lines, 6, 4), ["00000~", "11111~", "22222~", "2 mor~"])

    def test_watching_needs_a_terminal(self):
        self.assertEqual(support.said("ps", "--watch"), (2, "spillway: ps: --watch needs a terminal\n"))
        self.assertEqual(support.said("ps", "--watch", "0")[0], 2)


class PurgeMode(unittest.TestCase):
    def test_what_the_environment_says(self):
        preload = {"LD_PRELOAD": "/x/libspillway.so"}
        for variables, expected in (
            ({}, "1 s"),
            ({"SPILLWAY_PURGE_DELAY": "never"}, "never"),
            ({"SPILLWAY_CONF": "thp:never,purge_delay:-1"}, "never"),
            ({"SPILLWAY_CONF": "purge_delay:250,purge_thread:0"}, "0.2 s, no thread"),
            ({"SPILLWAY_CONF": "purge_delay:250", "SPILLWAY_PURGE_DELAY": "5000"}, "5 s"),
            ({"SPILLWAY_PURGE_DELAY": "rubbish"}, "1 s"),
        ):
            self.assertEqual(ps.purge_mode(preload | variables, True), expected, variables)
            self.assertEqual(ps.purge_mode(variables, False), expected, variables)

    def test_an_environment_that_was_written_over(self):
        self.assertIsNone(ps.purge_mode({"rubbish": ""}, True))
        self.assertIsNone(ps.purge_mode(None, False))


if __name__ == "__main__":
    unittest.main()
