# SPDX-License-Identifier: MIT
"""Medians, ratios and their intervals."""

import pathlib
import random
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from report.statistics import geometric_mean_ratio, median_interval, paired_ratio  # noqa: E402


class MedianInterval(unittest.TestCase):
    def test_the_interval_holds_the_median(self):
        figure = median_interval([3.0, 1.0, 2.0, 5.0, 4.0])
        self.assertEqual(figure.value, 3.0)
        self.assertTrue(1.0 <= figure.low < 3.0 < figure.high <= 5.0)

    def test_few_samples_have_no_interval(self):
        figure = median_interval([1.0, 2.0, 4.0, 5.0])
        self.assertEqual((figure.value, figure.low, figure.high), (3.0, None, None))

    def test_more_samples_tell_more(self):
        source = random.Random(5)
        widths = []
        for count in (7, 70):
            figure = median_interval([source.gauss(1.0, 0.1) for _ in range(count)])
            widths.append(figure.high - figure.low)
        self.assertLess(widths[1], widths[0])

    def test_nothing_has_no_median(self):
        with self.assertRaises(ValueError):
            median_interval([])


class PairedRatio(unittest.TestCase):
    def test_identical_samples_are_the_same(self):
        ratio = paired_ratio([1.0, 1.1, 0.9, 1.0, 1.2], [1.0, 1.1, 0.9, 1.0, 1.2])
        self.assertEqual((ratio.value, ratio.low, ratio.high), (1.0, 1.0, 1.0))
        self.assertTrue(ratio.is_same)

    def test_a_clear_difference_is_not(self):
        ratio = paired_ratio([0.50, 0.51, 0.49, 0.50, 0.52], [1.0, 1.02, 0.98, 1.0, 1.01])
        self.assertAlmostEqual(ratio.value, 0.5, places=2)
        self.assertFalse(ratio.is_same)
        self.assertLess(ratio.high, 0.55)
        self.assertGreater(ratio.low, 0.45)

    def test_pairing_removes_what_both_suffer(self):
        load = [1.0, 3.0, 2.0, 1.5, 2.5, 1.2, 2.8]
        ratio = paired_ratio([0.8 * x for x in load], load)
        self.assertAlmostEqual(ratio.low, 0.8)
        self.assertAlmostEqual(ratio.high, 0.8)

    def test_few_rounds_have_no_interval(self):
        ratio = paired_ratio([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0])
        self.assertEqual((ratio.value, ratio.low, ratio.high), (1.25, None, None))
        self.assertFalse(ratio.is_same)

    def test_same_input_same_interval(self):
        source = random.Random(7)
        left, right = ([source.random() for _ in range(9)] for _ in range(2))
        self.assertEqual(paired_ratio(left, right), paired_ratio(left, right))

    def test_noise_alone_is_seldom_a_difference(self):
        source = random.Random(3)
        found = 0
        for seed in range(100):
            left, right = ([source.gauss(1.0, 0.1) for _ in range(9)] for _ in range(2))
            found += not paired_ratio(left, right, seed).is_same
        self.assertLess(found, 15)

    def test_zero_times_stay_finite(self):
        self.assertEqual(paired_ratio([0.0] * 5, [0.0] * 5).value, 1.0)

    def test_unpaired_values_are_an_error(self):
        for left, right in (([1.0], [1.0, 2.0]), ([], []), ([-1.0], [1.0])):
            with self.assertRaises(ValueError):
                paired_ratio(left, right)


class GeometricMean(unittest.TestCase):
    def test_opposite_ratios_cancel(self):
        ratio = geometric_mean_ratio([([2.0] * 5, [1.0] * 5), ([0.5] * 5, [1.0] * 5)])
        self.assertAlmostEqual(ratio.value, 1.0)

    def test_the_fewest_rounds_decide(self):
        self.assertIsNone(geometric_mean_ratio([([2.0] * 5, [1.0] * 5), ([0.5], [1.0])]).low)


if __name__ == "__main__":
    unittest.main()
