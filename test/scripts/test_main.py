# SPDX-License-Identifier: MIT
"""The command line as a whole: mistakes are one line that says what to write, and the version."""

import os
import re
import unittest
from unittest import mock

import support
from spillway_cli import ctl, paths
from spillway_cli.main import make_parser


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


class Help(unittest.TestCase):
    def test_fits_80_columns(self):
        with mock.patch.dict(os.environ, COLUMNS="80"):
            for name, parser in make_parser()[1].items():
                with self.subTest(name):
                    self.assertEqual([line for line in parser.format_help().splitlines() if len(line) > 80], [])

    def test_options_that_can_change_are_those_of_the_library(self):
        source = (paths.ROOT / "alloc" / "heap" / "set_option.cc").read_text(encoding="utf-8")
        table = re.search(r"kChangeable\[\] = \{(.*?)\};", source, re.DOTALL)[1]
        expected = sorted(re.findall(r"Option::(\w+)", table))
        said = re.search(r"change ([^:]*?)\n\n", ctl.COMMANDS)[1].replace(" or ", ", ")
        self.assertEqual(sorted(re.split(r",\s+", said)), expected)
        page = (paths.ROOT / "alloc" / "docs" / "CONTROL.md").read_text(encoding="utf-8")
        row = re.search(r"^\| `set NAME=VALUE` \| (.*?), as at the start", page, re.MULTILINE)[1]
        self.assertEqual(sorted(re.findall(r"`(\w+)`", row)), expected)


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
