# SPDX-License-Identifier: MIT
"""Series made small enough for a page."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from report import curves  # noqa: E402


class Thinned(unittest.TestCase):
    def test_peaks_and_ends_stay(self):
        points = [(i, 10 + i % 7) for i in range(5000)]
        points[1234], points[3333] = (1234, 999), (3333, 1)
        kept = curves.thinned(points)
        self.assertLessEqual(len(kept), curves.MAX_POINTS)
        for point in (points[0], points[-1], (1234, 999), (3333, 1)):
            self.assertIn(point, kept)
        self.assertEqual(kept, sorted(kept))

    def test_points_as_json_has_them(self):
        points = [[i, i // 1000] for i in range(5000)]
        kept = curves.thinned(points)
        self.assertLessEqual(len(kept), curves.MAX_POINTS)
        self.assertEqual(kept, sorted(kept))
        self.assertEqual(len({tuple(point) for point in kept}), len(kept))

    def test_few_points_stay_as_they_are(self):
        for count in (0, 1, 2, curves.MAX_POINTS):
            points = [(i, i) for i in range(count)]
            self.assertEqual(curves.thinned(points), points)


if __name__ == "__main__":
    unittest.main()
