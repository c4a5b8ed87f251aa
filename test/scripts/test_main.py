# SPDX-License-Identifier: MIT
"""The command line as a whole: mistakes are one line that says what to write, and the version."""

import os
import re
import unittest
from unittest import mock

import support
from spillway_cli import paths


class Mistakes(unittest.TestCase):
    def refused(self, *arguments):
        done = support.spillway(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\Aspillway: [^\n]*\n\Z")
        return done.stderr

    def test_a_command_without_dashes(self):
        for words, better in (
            ("run ls", "spillway run -- ls"),
            ("run ls -l", "spillway run -- ls -l"),
            ("run --stats ls /", "spillway run --stats -- ls /"),
            ("run --stats json ls", "spillway run --stats json -- ls"),
            ("run --conf limit:1G --lib=x ls", "spillway run --conf limit:1G --lib=x -- ls"),
            ("ab --quick --allocators glibc ls", "spillway ab --quick --allocators glibc -- ls"),
        ):
            said = self.refused(*words.split())
            self.assertIn(f"the command stands after --: {better}\n", said)

    def test_others_are_told_as_they_are(self):
        self.assertIn("unrecognized arguments: --bogus", self.refused("run", "--bogus"))
        self.assertIn("invalid choice: 'bogus'", self.refused("bogus"))
        self.assertIn("no subcommand", self.refused())
        self.assertIn("'x' is not a number", self.refused("ab", "--runs", "x", "--", "ls"))
        self.assertIn("write limit:1G\n", self.refused("run", "--conf", "limit=1G", "--", "ls"))

    def test_a_folder_that_cannot_be_written(self):
        done = support.spillway("ab", "--allocators", "glibc", "--out", "/proc/none", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aspillway: ab: cannot write to /proc/none: [^\n]*--out[^\n]*\n\Z")


class Reports(unittest.TestCase):
    def test_in_the_checkout_or_in_the_cache(self):
        with mock.patch.object(os, "access", return_value=True):
            self.assertEqual(paths.reports(), support.ROOT / "build" / "ab")
        with mock.patch.object(os, "access", return_value=False):
            with mock.patch.dict(os.environ, XDG_CACHE_HOME="/c"):
                self.assertEqual(str(paths.reports()), "/c/spillway/ab")
            with mock.patch.dict(os.environ, XDG_CACHE_HOME="", HOME="/h"):
                self.assertEqual(str(paths.reports()), "/h/.cache/spillway/ab")


class Version(unittest.TestCase):
    def test_of_command_and_library(self):
        done = support.spillway("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        own, library = done.stdout.splitlines()
        number = re.fullmatch(r"spillway (\d+\.\d+\.\d+)", own)[1]
        if paths.LIBRARY.exists():
            self.assertEqual(library, f"library: {number}, {paths.LIBRARY}")
        else:
            self.assertIn("not built", library)


if __name__ == "__main__":
    unittest.main()
