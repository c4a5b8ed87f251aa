# SPDX-License-Identifier: MIT
"""What scripts/bench --compare says of two libraries, and how it makes the other one."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from report import changes  # noqa: E402
from runner import compare, rounds, table  # noqa: E402
from runner.allocators import Allocator  # noqa: E402

NOISY = [1.0, 1.0, 1.1, 1.2, 1.2, 1.0, 1.2]  # seconds: +- 9 %


class Rows(unittest.TestCase):
    def setUp(self):
        self.campaign = rounds.Campaign([Allocator("then", None), Allocator("spillway", None)])

    def said(self, row, now, then):
        """The last word of the row's line, and all lines."""
        self.campaign.rows = {row: {"spillway": now, "then": then}}
        lines = compare.rows(self.campaign, "then")
        for line in lines:
            self.assertLessEqual(len(line), table.WIDTH, line)
        ends = [line.split()[-1] for line in lines[2:]]
        return next(end for end in ends if end in changes.LOWER.values()), lines

    def test_differences_beyond_noise(self):
        self.assertEqual(self.said("pair/16B", [2.0] * 7, [3.0] * 7)[0], "lower")
        self.assertEqual(self.said("pair/16B", [3.0] * 7, [2.0] * 7)[0], "higher")
        self.assertEqual(self.said("pair/16B", [3.0, 2.0] * 4, [2.0, 3.0] * 4)[0], "~")

    def test_few_rounds_tell_nothing(self):
        word, lines = self.said("pair/16B", [2.0] * 3, [3.0] * 3)
        self.assertEqual(word, "?")
        self.assertIn("0 rows lower, 0 higher beyond noise, 0 neither (~), of 1", " ".join(lines))
        self.assertIn("of 1 nothing can be told (?)", " ".join(lines))

    def test_the_noise_of_the_machine_hides_small_times_but_no_memory(self):
        self.campaign.noise.samples = NOISY
        self.assertEqual(self.said("pair/16B", [1.05] * 7, [1.0] * 7)[0], "~")
        self.assertEqual(self.said("pair/16B", [1.2] * 7, [1.0] * 7)[0], "higher")
        self.campaign.units["live/peak_mib"] = "MiB"
        self.assertEqual(self.said("live/peak_mib", [1.05] * 7, [1.0] * 7)[0], "higher")

    def test_a_slope_below_zero_has_no_ratio(self):
        self.campaign.units["slope/kib_per_thread"] = "KiB"
        word, lines = self.said("slope/kib_per_thread", [1.0] * 7, [-1.0] * 7)
        self.assertEqual(word, "?")
        self.assertEqual(lines[2].split(), ["slope/kib_per_thread", "KiB", "-1.00", "1.00", "?"])

    def test_the_longest_row_fits(self):
        row = "latency/malloc_touch/4K-64K/1t/p99.99"
        self.assertEqual(self.said(row, [123456.0] * 7, [12345.6] * 7)[0], "higher")

    def test_the_loops_alone_are_left_out(self):
        self.campaign.rows = {"empty/pair": {"spillway": [1.0] * 7, "then": [2.0] * 7}}
        self.assertIn("of 0;", compare.rows(self.campaign, "then")[-2])


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "compare"
        self.enterContext(unittest.mock.patch.object(compare, "FOLDER", self.folder))
        self.ran = []

    def run_step(self, step, command):
        """As git would: a clone makes the folder, a check-out fills it."""
        self.ran.append(step)
        if step == "clone":
            if command[-1].exists():
                raise compare.NoRevision("already exists")
            command[-1].mkdir()
        if step == "check-out":
            if self.fails:
                raise compare.NoRevision("check-out failed: no space")
            (command[2] / "CMakeLists.txt").touch()

    def build(self):
        with unittest.mock.patch.object(compare, "_run", self.run_step), \
                unittest.mock.patch.object(compare, "_git", return_value="0123456789abcdef"), \
                contextlib.redirect_stderr(io.StringIO()):
            return compare.build("HEAD")

    def test_a_check_out_that_failed_is_made_again(self):
        self.fails = True
        with self.assertRaisesRegex(compare.NoRevision, "no space"):
            self.build()
        self.assertFalse((self.folder / "0123456789ab").exists())
        self.fails = False
        made = self.build()
        binary = self.folder / "0123456789ab" / "build" / "compare"
        self.assertEqual((made.name, made.library), ("01234567", binary / "libspillway.so"))
        self.ran.clear()
        self.build()
        self.assertEqual(self.ran, ["configuring", "build"])

    def test_leftovers_of_an_older_failure_are_replaced(self):
        (self.folder / "0123456789ab" / ".git").mkdir(parents=True)
        (self.folder / "0123456789ab.new").mkdir()
        self.fails = False
        self.build()
        self.assertTrue((self.folder / "0123456789ab" / "CMakeLists.txt").exists())

    def test_no_such_revision(self):
        with self.assertRaisesRegex(compare.NoRevision, "no revision 'no-such-branch'"):
            compare.build("no-such-branch")


if __name__ == "__main__":
    unittest.main()
