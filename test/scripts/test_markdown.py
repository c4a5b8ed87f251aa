# SPDX-License-Identifier: MIT
"""report.md: a table that Markdown shows as one, whatever programs say."""

import re
import unittest

import support  # noqa: F401
from spillway_cli.ab import markdown
from test_table import comparison, samples

ABOUT = {"cpu": "CPU_1", "cores": 2, "memory_bytes": 1 << 30, "kernel": "6.1", "system": "Debian"}
SETTINGS = {"rounds": 5, "noise": 0.001, "interrupted": False, "warnings": []}


def content(*comparisons, **settings):
    return markdown.content(comparisons, ABOUT, {**SETTINGS, **settings})


class Markdown(unittest.TestCase):
    def rows(self, text):
        """The cells of the first table's lines, heading and rule first."""
        table = re.search(r"(?:^\|.*\|\n)+", text, re.MULTILINE)[0]
        return [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()]

    def test_a_line_for_each_allocator_with_as_many_cells(self):
        rows = self.rows(content(comparison(half=samples(0.5), same=samples(1.0), bad="died: a|b")))
        self.assertEqual({len(row) for row in rows}, {7})
        by_name = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[2:]}
        self.assertEqual(list(by_name), ["glibc", "half", "same", "bad"])
        self.assertEqual(by_name["half"][:2], ["0.502", "**0.50** [0.50, 0.50]"])
        self.assertEqual(by_name["same"][1], "~ [1.00, 1.00]")
        self.assertEqual(by_name["glibc"][1], "")
        self.assertEqual(by_name["bad"][0], "**FAILED**: died: a&#124;b")

    def test_what_the_noise_hides_is_no_difference(self):
        text = content(comparison(half=samples(0.5)), noise=0.5, warnings=["noisy <b>"])
        self.assertIn("~ [0.50, 0.50]", text)
        self.assertIn("noisy &#60;b&#62;", text)

    def test_without_rounds(self):
        made = comparison(bad=[])
        self.assertIn("| bad | not measured | | | | | |", content(made))
        made.failure = "fails under glibc"
        text = content(made, interrupted=True)
        self.assertIn("**FAILED**: fails under glibc", text)
        self.assertIn("Interrupted", text)
        self.assertNotIn("wall s", text)

    def test_means_of_several(self):
        text = content(comparison(half=samples(0.5)), comparison(half=samples(0.5)), comparison(half="died"))
        self.assertIn("| half | **0.50** [0.50, 0.50] | ~ [1.00, 1.00] | 1 |", text)
        self.assertNotIn("All programs", content(comparison(half=samples(0.5))))

    def test_notes(self):
        made = comparison(half=samples(0.5))
        made.results["half"].left = [3 << 20]
        made.notes.append("its exit status is 3")
        text = content(made)
        self.assertIn("- MiB held 5 s after the load: half 3.0\n- its exit status is 3\n", text)

    def test_nothing_in_a_programs_words_is_markdown(self):
        self.assertEqual(markdown.plain("a*b_c`d`\n<img> @me"), "a\\*b\\_c\\`d\\` &#60;img&#62; &#64;me")
        self.assertEqual(markdown.plain("#1 & [x](y)"), "\\#1 &#38; \\[x\\](y)")
