# SPDX-License-Identifier: MIT
"""`spillway ab --metric`: what a pattern finds, and what is no metric."""

import argparse
import tempfile
import unittest

import support  # noqa: F401
from spillway_cli.ab import metric


def found(text, *outputs):
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        for file, output in zip((first, second), outputs):
            file.write(output.encode())
            file.flush()
        return metric.metric(text).find(first, second)


class Find(unittest.TestCase):
    def test_the_last_match_counts(self):
        self.assertEqual(found("rps=rps=([0-9.]+)", "rps=1.5\nrps=2.5\n", "rps=9"), 2.5)

    def test_the_second_file_where_the_first_has_none(self):
        self.assertEqual(found("ms=([0-9]+) ms", "", "took 7 ms"), 7.0)
        self.assertEqual(found("ms=([0-9]+) ms", "nothing", "took 7 ms"), 7.0)

    def test_lines_and_kinds_of_numbers(self):
        for output, value in (
            ("a: 1,234,567.5\n", 1234567.5), ("a: 2e3", 2000.0), ("x a: 1\na: 3\n", 3.0), ("a: 0", 0.0),
        ):  # fmt: skip
            self.assertEqual(found(r"a=^a: (\S+)$", output), value)

    def test_what_is_no_number(self):
        for output, words in (
            ("", "its output has no a"), ("b: 1", "nothing matches"), ("a: x", "'x', is not a number"),
            ("a: -1", "'-1'"), ("a: inf", "'inf'"), ("a: 1,23", "'1,23'"),
        ):  # fmt: skip
            with self.assertRaisesRegex(metric.Missing, words):
                found(r"a=a: (\S+)", output)


class Parse(unittest.TestCase):
    def test_direction(self):
        for text, expected in (
            ("a=(x)", ("a", "(x)", False)), ("a=(x):lower", ("a", "(x)", False)), ("a=(x):higher", ("a", "(x)", True)),
            ("r/s=x: (1):2", ("r/s", "x: (1):2", False)), ("a=b=(x)", ("a", "b=(x)", False)),
        ):  # fmt: skip
            made = metric.metric(text)
            self.assertEqual((made.name, made.pattern, made.higher), expected)

    def test_mistakes(self):
        for text, words in (
            ("a", "is not NAME=REGEX"), ("=(x)", "is not NAME"), ("a b=(x)", "is not NAME"),
            ("a=x", "has no group"), ("a=(", "not a regular expression"), ("wall=(x)", "every report has"),
            ("a" * 13 + "=(x)", "up to 12"),
        ):  # fmt: skip
            with self.assertRaisesRegex(argparse.ArgumentTypeError, words):
                metric.metric(text)


if __name__ == "__main__":
    unittest.main()
