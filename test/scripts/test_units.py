# SPDX-License-Identifier: MIT
"""How figures and foreign names are written."""

import unittest

import support  # noqa: F401
from spillway_cli.figures import units
from spillway_cli.figures.text import cells, clip, left, printable, right

KIB, MIB = 1 << 10, 1 << 20


class Units(unittest.TestCase):
    def expect(self, function, pairs):
        for value, text in pairs:
            with self.subTest(function=function.__name__, value=value):
                self.assertEqual(function(value), text)

    def test_bytes(self):
        self.expect(units.bytes_text, (
            (None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (-2048, "-2.0 KiB"),
            (1000 * KIB, "1000 KiB"), (MIB - 1, "1.0 MiB"), (MIB, "1.0 MiB"), (1.5 * MIB, "1.5 MiB"),
        ))  # fmt: skip
        self.expect(units.size_text, ((4096, "4 KiB"), (4608, "4.5 KiB"), (MIB, "1 MiB")))
        self.expect(units.signed_bytes_text, ((KIB, "+1.0 KiB"), (0, "0 B"), (-KIB, "-1.0 KiB")))

    def test_counts_and_rates(self):
        self.expect(units.count_text, (
            (None, "-"), (0, "0"), (99999, "99999"), (99999.7, "100.0k"), (999960, "1.0M"), (-5, "-5"),
        ))  # fmt: skip
        self.expect(units.rate_text, (
            (None, "-"), (0, "0"), (0.01, "<0.1"), (0.05, "0.1"), (9.94, "9.9"), (9.96, "10"),
            (1e7, "10.0M"),
        ))  # fmt: skip

    def test_a_share_is_never_rounded_up_to_all(self):
        self.expect(
            units.percent_text, ((None, "-"), (1.0, "100"), (0.99999, "99.99"), (0, "0.00"), (1.2, "100"))
        )

    def test_times(self):
        self.expect(units.duration_text, ((0, "0:00:00"), (3661, "1:01:01"), (90061, "1d 01:01")))
        self.expect(units.seconds_text, ((1.0, "1 s"), (0.5, "0.5 s")))

    def test_widths_hold_for_every_value(self):
        for power in range(63):
            for value in (2**power - 1, 2**power, 2**power + 1, 3 * 2**power // 2):
                self.assertLessEqual(len(units.bytes_text(value)), units.BYTES_WIDTH)
                self.assertLessEqual(len(units.count_text(value)), units.COUNT_WIDTH)
                self.assertLessEqual(len(units.rate_text(value / 3)), units.COUNT_WIDTH)
        for at in range(10001):
            self.assertLessEqual(len(units.percent_text(at / 10000)), units.PERCENT_WIDTH)


class Text(unittest.TestCase):
    def test_nothing_that_a_terminal_obeys(self):
        self.assertEqual(printable("a\x1b[31mb\n\x9b\x7f\u202e\ud8ff\u2028"), "a?[31mb??????")
        self.assertEqual(printable("Größe 値 ok"), "Größe 値 ok")

    def test_wide_and_combining_characters(self):
        self.assertEqual(cells("値a"), 3)
        self.assertEqual(cells("e\u0301"), 1)
        self.assertEqual(clip("値値値", 6), "値値値")
        self.assertEqual(clip("値値値", 5), "値値~")
        self.assertEqual(clip("値値値", 4), "値~")
        self.assertEqual(clip("abc", 0), "")
        for width in range(1, 9):
            for text in ("値値値", "abcdef", "a値b", ""):
                self.assertEqual(cells(left(clip(text, width), width)), width)
                self.assertEqual(cells(right(text, width)), width)


if __name__ == "__main__":
    unittest.main()
