# SPDX-License-Identifier: MIT
"""The views of one report: wins and losses, Markdown, changes; that each keeps the noise rule, and that the
page fits a phone and paper."""

import html.parser
import re
import unittest

from test_report import report, row

from report import changes, markdown, matrix, page, words
from report.model import Figure, Row, Section
from report.numbers import number
from report.statistics import Ratio, change
from report.verdicts import LOSS, SAME, UNTOLD, WIN, judge

NOISY = 0.2


def rate(name, *ratio):
    """A row of which more is better: ours is 1, jemalloc's so that ours / jemalloc's is the ratio."""
    figures = {"ours": Figure(1.0), "jemalloc": Figure(1 / ratio[0])}
    return Row(name, "", "metric", figures, {"jemalloc": Ratio(*ratio)}, higher=True)


def made(noise=None):
    rows = [row("p1", jemalloc=(0.9, 0.85, 0.95)), row("p2", jemalloc=(1.1, 1.05, 1.2)),
            row("p3", jemalloc=(1.0, 0.9, 1.1)), row("p4", jemalloc=(0.5, 0.4, 0.6))]  # fmt: skip
    memory = [row("p1", "memory", "MiB", jemalloc=(1.1, 1.05, 1.2), glibc=0.9)]
    metric = Section("req/s", "", [rate("p1", 0.5, 0.4, 0.6)])
    return report(sections=[Section("Time", "", rows), Section("Peak", "", memory), metric], noise=noise)


class HigherIsBetter(unittest.TestCase):
    def test_judged(self):
        for ratio, verdict in (((2, 1.9, 2.1), WIN), ((0.5, 0.4, 0.6), LOSS), ((1.1, 0.9, 1.2), SAME), ((2,), UNTOLD)):
            self.assertEqual(judge(Ratio(*ratio), "metric", 0.0, higher=True), verdict)
        self.assertEqual(judge(Ratio(1.15, 1.1, 1.2), "metric", NOISY, higher=True), SAME)

    def test_in_words_and_in_the_page(self):
        said = words.grouped(report(rate("p", 0.5, 0.4, 0.6), rate("q", 1.5, 1.4, 1.6)))
        self.assertIn("jemalloc is better than ours in 1 of 2 metric rows: ours has 50 % less in p.", said.against)
        self.assertIn("ours is better than jemalloc in 1 of 2 metric rows: it has 50 % more in q.", said.in_favour)
        text = page.page(report(rate("p", 0.5, 0.4, 0.6)))
        self.assertIn("more is better", text)
        self.assertRegex(text, r'class="loss" title="worse">▼ 0\.500')

    def test_the_worst_comes_first(self):
        said = words.grouped(report(rate("little", 0.9, 0.85, 0.95), rate("much", 0.2, 0.1, 0.3)))
        self.assertIn("80 % less in much and 10 % less in little", said.against[0])


class Matrix(unittest.TestCase):
    def test_rows_are_counted_and_a_single_one_is_shown(self):
        lines, peers = matrix.cells(made())
        self.assertEqual(peers, ["glibc", "jemalloc"])
        found = {title: {peer: cell.text() for peer, cell in cells.items()} for title, cells in lines}
        self.assertEqual(found, {"Time": {"jemalloc": "1- 2+ 1~"}, "Peak": {"glibc": "0.90 ?", "jemalloc": "1.10 -"},
                                 "req/s": {"jemalloc": "0.50 -"}})  # fmt: skip

    def test_noise_hides_times_and_metrics_only(self):
        found = {title: cells["jemalloc"].text() for title, cells in matrix.cells(made(NOISY))[0]}
        self.assertEqual(found, {"Time": "1+ 3~", "Peak": "1.10 -", "req/s": "0.50 -"})

    def test_it_stands_before_the_prose(self):
        text = page.page(made())
        self.assertLess(text.index("1 worse"), text.index("is faster than"))
        self.assertNotIn("beside each other allocator", page.page(report(names=("ours",))))

    def test_for_a_terminal(self):
        for line in matrix.text(made()):
            self.assertTrue(all(len(part) <= 80 for part in line.splitlines()))
        self.assertEqual(matrix.text(report(names=("ours",))), [])


class Markdown(unittest.TestCase):
    def test_wins_and_losses_come_before_the_figures_and_the_words(self):
        text = markdown.page(made(NOISY), ["FIGURES"])
        self.assertIn("| Time |  | 1+ 3\\~ |\n", text)
        self.assertIn("| req/s |  | 0.50 - |\n", text)
        self.assertLess(text.index("1+ 3"), text.index("FIGURES"))
        self.assertLess(text.index("FIGURES"), text.index("In words"))
        for line in re.findall(r"(?m)^\|.*", text):
            self.assertRegex(line, r"^\|.*\|$")

    def test_names_are_no_markup(self):
        self.assertEqual(markdown.escaped("a*b_c`d`\n<img> @me"), r"a\*b\_c\`d\` &#60;img&#62; &#64;me")
        self.assertEqual(markdown.escaped("#1 & [x](y)|"), r"\#1 &#38; \[x\](y)&#124;")
        bad = "<i>|*"
        text = markdown.page(report(row(bad, jemalloc=(2, 1.9, 2.1)), warnings=[bad]))
        self.assertNotIn("<i>", text)

    def test_one_allocator(self):
        self.assertIn("nothing to compare", markdown.page(report(row("p"), names=("ours",))))


class Changes(unittest.TestCase):
    def test_two_runs(self):
        ratio = change([2.0, 2.1, 2.0, 1.9, 2.0], [1.0] * 5)
        self.assertEqual(ratio.value, 2.0)
        self.assertGreater(ratio.low, 1.8)
        self.assertIsNone(change([2.0] * 4, [1.0] * 9).low)

    def test_a_slower_machine_cancels(self):
        ratio = change(([4.0] * 5, [2.0] * 5), ([2.0] * 5, [1.0] * 5))
        self.assertEqual((ratio.value, ratio.low, ratio.high), (1.0, 1.0, 1.0))

    def test_nothing_is_divided_by_nothing(self):
        self.assertGreater(change([1.0] * 5, [0.0] * 5).value, 1.0)

    def test_lines(self):
        found = [changes.Change("short", 1.0, 2.0, Ratio(2.0, 1.9, 2.1), LOSS),
                 changes.Change("l" * 40, 1.0, 1.0, None, UNTOLD)]
        lines = changes.lines("x", found, number, changes.BETTER) + changes.counted(found, changes.BETTER)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertEqual(lines[2].split()[-1], "worse")
        self.assertIn("0 rows better, 1 worse beyond noise, 0 neither (~), of 2", " ".join(lines))


class Layout(html.parser.HTMLParser):
    """Which elements a table, a long line or a plot stands in."""

    def __init__(self, text):
        super().__init__()
        self.path, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        kind = dict(attributes).get("class", "")
        if tag in ("table", "pre", "svg"):
            self.found.append((tag, kind, [at for _, at in self.path]))
        if tag not in ("meta", "br", "path", "use"):
            self.path.append((tag, kind))

    def handle_endtag(self, tag):
        while self.path and self.path.pop()[0] != tag:
            pass


class Layouts(unittest.TestCase):
    def setUp(self):
        self.text = page.page(made())
        self.style = re.search(r"<style>(.*?)</style>", self.text, re.S)[1]
        self.print = self.style[self.style.index("@media print") :]

    def test_a_phone(self):
        self.assertIn('<meta name="viewport" content="width=device-width, initial-scale=1">', self.text)
        self.assertIn("@media (max-width: 40rem)", self.style)
        found = Layout(self.text).found
        self.assertTrue(found)
        for tag, _, path in found:
            if tag == "table":  # a wide one scrolls by itself; the page does not
                self.assertEqual(path[-1], "scroll")
        for rule in (r"\.scroll {[^}]*overflow-x: auto", r"pre {[^}]*overflow-x: auto", r"svg {[^}]*width: 100%"):
            self.assertRegex(self.style, rule)
        # Nothing is wider than its place: no fixed widths but of what is no wider than a key's square.
        self.assertEqual(re.findall(r"[^-]width: \d+px", self.style), [])

    def test_paper(self):
        for rule in (r"\.scroll {[^}]*overflow: visible", r"th, td {[^}]*white-space: normal",
                     r"nav, details {[^}]*none", r"tr, [^}]*break-inside: avoid",
                     r"tbody th {[^}]*position: static"):  # fmt: skip
            self.assertRegex(self.print, rule)


if __name__ == "__main__":
    unittest.main()
