# SPDX-License-Identifier: MIT
"""report.md: tables that Markdown shows as such, whatever programs say."""

import re
import unittest

import support  # noqa: F401
from spillway_cli.ab import markdown
from test_table import comparison, samples


def content(*comparisons, min_difference=0.0):
    return "\n\n".join(markdown.tables(comparisons, min_difference)) + "\n"


class Markdown(unittest.TestCase):
    def rows(self, text):
        """The cells of the first table's lines, heading and rule first."""
        table = re.search(r"(?:^\|.*\|\n)+", text, re.MULTILINE)[0]
        return [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()]

    def test_a_line_for_each_allocator_with_as_many_cells(self):
        text = content(comparison(half=samples(0.5), same=samples(1.0), bad="died: a|b"))
        self.assertTrue(text.startswith("### program\n\n"))
        rows = self.rows(text)
        self.assertEqual({len(row) for row in rows}, {7})
        by_name = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[2:]}
        self.assertEqual(list(by_name), ["glibc", "half", "same", "bad"])
        self.assertEqual(by_name["half"][:2], ["0.502", "**0.50** [0.50, 0.50]"])
        self.assertEqual(by_name["same"][1], "~ [1.00, 1.00]")
        self.assertEqual(by_name["glibc"], ["1.002", "", "1.000", "", "100", "1000"])
        self.assertEqual(by_name["bad"][0], "**FAILED**: died: a&#124;b")

    def test_what_the_noise_hides_is_no_difference(self):
        self.assertIn("| ~ [0.50, 0.50] |", content(comparison(half=samples(0.5)), min_difference=0.5))

    def test_without_rounds(self):
        made = comparison(bad=[])
        self.assertIn("| bad | not measured |", content(made))
        made.failure = "fails under glibc"
        text = content(made)
        self.assertIn("**FAILED**: fails under glibc", text)
        self.assertNotIn("wall s", text)

    def test_means_of_several(self):
        text = content(comparison(half=samples(0.5)), comparison(half=samples(0.5)), comparison(half="died"))
        self.assertIn("| half | 0.50 [0.50, 0.50] | ~ [1.00, 1.00] | 1 |", text)
        self.assertNotIn("All programs", content(comparison(half=samples(0.5))))
        self.assertIn("| half |  |  | 2 |", content(comparison(half="died"), comparison(half="died")))

    def test_notes(self):
        made = comparison(half=samples(0.5))
        made.results["half"].left = [3 << 20]
        made.notes.append("its exit status is 3")
        self.assertIn("- MiB held 5 s after the load: half 3.00\n- its exit status is 3\n", content(made))


if __name__ == "__main__":
    unittest.main()
