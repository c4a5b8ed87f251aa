# SPDX-License-Identifier: MIT
"""The page of bench/report: what it says, that it stands by itself, and that anything fits in it."""

import html.parser
import pathlib
import random
import re
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from report import means, noise, numbers, page, plots, words  # noqa: E402
from report.model import Curve, Figure, Report, Row, Section  # noqa: E402
from report.statistics import Ratio, median_interval, paired_ratio  # noqa: E402

NAMES = ("glibc", "jemalloc", "ours")
VOID = {"meta", "br", "hr", "img", "input", "link"}
try:
    plots.load()
    HAS_PLOTS = True
except plots.NoMatplotlib:
    HAS_PLOTS = False


def row(name, kind="time", unit="s", **ratios):
    """A row in which ours is 1; `jemalloc=(2, 1.9, 2.1)` is the ratio of ours to jemalloc's."""
    made = {peer: Ratio(*of) if isinstance(of, tuple) else Ratio(of) for peer, of in ratios.items()}
    figures = {peer: Figure(1 / ratio.value) for peer, ratio in made.items()} | {"ours": Figure(1.0)}
    return Row(name, unit, kind, figures, made)


def measured(name, source, kind="time", unit="s", rounds=7, **centres):
    values = {a: [c * source.gauss(1, 0.02) for _ in range(rounds)] for a, c in centres.items()}
    ratios = {a: paired_ratio(values["ours"], v) for a, v in values.items() if a != "ours"}
    return Row(name, unit, kind, {a: median_interval(v) for a, v in values.items()}, ratios)


def report(*rows, names=NAMES, sections=None, **other):
    if sections is None:
        sections = [Section("Work", "What it is.", list(rows))]
    allocators = [(name, "1.0", f"/lib/{name}.so") for name in names]
    return Report("Title", "2026-01-02T03:04:05+00:00", "ours", "glibc", [("cores", "2")],
                  allocators, sections, **other)  # fmt: skip


def full():
    source = random.Random(4)
    centres = {"glibc": 2.0, "jemalloc": 1.0, "ours": 1.5}
    rows = [measured(f"row {i}", source, **centres) for i in range(5)]
    rows += [measured("memory", source, "memory", "MiB", **centres)]
    rows += [measured(f"call {i}", source, "time", "ns", glibc=10**i, jemalloc=3, ours=2) for i in range(4)]
    lines = {name: [(i, i * i % 17) for i in range(50)] for name in NAMES}
    sections = [Section("Work", "What it is.", rows, [Curve("Over time", "s", "MiB", lines)], "a  b\n")]
    goals = [("work", "at most 2", "1.5", "met", "row 1"), ("more", "at most 1", "1.5", "NOT MET", "")]
    return report(sections=sections, goals=goals, warnings=["interrupted in row 3"], noise=0.01)


class Balance(html.parser.HTMLParser):
    """Fails on a tag that is not closed, or closed in the wrong place; collects what a page refers to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.styles = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "data", "srcset"):
                self.links.append(value)
            self.styles += re.findall(r"url\(#([^)]*)\)", value or "")

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            raise AssertionError(f"</{tag}> closes {self.open[-3:]}")
        self.open.pop()


class Page(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = pathlib.Path(holder.name) / "report.html"

    def written(self, made):
        page.write(self.path, made)
        self.assertEqual([self.path], list(self.path.parent.iterdir()))
        text = self.path.read_text(encoding="utf-8")
        return text, Balance(text)

    def test_it_stands_by_itself(self):
        text, parsed = self.written(full())
        for word in ("http:", "https:", "<script", "<link", "@import", "src=", "javascript:", "xmlns"):
            self.assertNotIn(word, text)
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)))
        for link in parsed.links:
            self.assertTrue(link.startswith("#"), link)
            self.assertIn(link[1:], parsed.ids)
        for name in parsed.styles:
            self.assertIn(name, parsed.ids)

    def test_everything_is_there(self):
        text, _ = self.written(full())
        for words_ in ("interrupted in row 3", "NOT MET", "Over time", "a  b", "/lib/jemalloc.so", "cores"):
            self.assertIn(words_, text)
        self.assertLess(text.index("interrupted in row 3"), text.index(">Summary</h2>"))
        self.assertLess(text.index(">Summary</h2>"), text.index(">Goals</h2>"))

    @unittest.skipUnless(HAS_PLOTS, "matplotlib is missing")
    def test_plots_have_labels_and_the_pages_colours(self):
        text, _ = self.written(full())
        drawn = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', text)
        # speed against memory; 5 rows in s, 1 in MiB, 4 on a log scale in ns; one curve
        self.assertEqual(len(drawn), 1 + 2 + 1 + 1 + 1)
        self.assertEqual(text.count("<svg"), len(drawn))
        self.assertNotRegex("".join(re.findall(r"<svg.*?</svg>", text, re.S)), r"(fill|stroke): #")
        for variable in ("--a0", "--a1", "--a2"):
            self.assertEqual(len(re.findall(variable + ": #", text)), 2)  # light and dark
            self.assertIn(f"var({variable})", text)

    def test_names_are_escaped(self):
        bad = "<b>&\"'"
        made = report(
            sections=[Section(bad, bad, [row(bad, unit="<u>", jemalloc=(2, 1.9, 2.1), glibc=3.0)],
                              [Curve(bad, bad, bad, {"ours": [(0, 1), (1, 2)]})], bad, [bad])],
            warnings=[bad], goals=[(bad,) * 5],
        )  # fmt: skip
        text, parsed = self.written(made)
        self.assertNotIn("<b>&", text)
        self.assertNotIn("<u>", text)
        self.assertIn("&lt;b&gt;&amp;", text)
        renamed = report(names=("glibc", "<i>", "ours"))
        self.assertNotIn("<i>", self.written(renamed)[0])

    def test_without_matplotlib(self):
        with mock.patch.dict(sys.modules, {"matplotlib": None}):
            text, _ = self.written(full())
        self.assertNotIn("<svg", text)
        self.assertEqual(text.count("python3-matplotlib"), 1)
        self.assertIn("1.5", text)

    def test_one_allocator(self):
        alone = Row("row", "s", "time", {"ours": Figure(1.0, 0.9, 1.1)}, {})
        text, _ = self.written(report(alone, names=("ours",)))
        self.assertIn("nothing to compare", text)
        self.assertNotIn("divided by", text)

    def test_empty_things(self):
        nothing = Row("nothing", "s", "time", {}, {})
        zeros = {"ours": Figure(0.0), "glibc": Figure(0.0)}
        zero = Row("zero", "", "count", zeros, {"glibc": Ratio(1.0, 1.0, 1.0)})
        cases = (
            report(nothing), report(zero), report(nothing, zero, names=()), report(sections=[]),
            report(sections=[Section("Empty", "", curves=[Curve("c", "x", "y", {"ours": []})])]),
        )  # fmt: skip
        for made in cases:
            with self.subTest(made=made):
                self.assertIn("<h2", self.written(made)[0])

    def test_interrupted_after_the_first_rounds(self):
        early = row("row", jemalloc=0.5, glibc=2.0)
        text, _ = self.written(report(early, warnings=["interrupted in row after 1 of 7 rounds"]))
        self.assertIn("interrupted in row after 1 of 7 rounds", text)
        self.assertIn("can&#x27;t be told", text)

    def test_a_page_that_cannot_be_made_leaves_the_old_one(self):
        self.path.write_text("old", encoding="utf-8")
        with mock.patch.object(words, "grouped", side_effect=ValueError), self.assertRaises(ValueError):
            page.write(self.path, full())
        self.assertEqual(self.path.read_text(encoding="utf-8"), "old")
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_many_rows_become_several_plots_of_one_scale(self):
        rows = [row(f"row {i}", jemalloc=(0.5 + i / 10, 0.4, 3.0)) for i in range(10)]
        groups = plots.row_groups(rows)
        self.assertEqual([len(group) for group, _ in groups], [4, 4, 2])
        self.assertEqual([of_unit for _, of_unit in groups], [rows] * 3)


class Summary(unittest.TestCase):
    def test_losses_come_first_and_the_worst_of_them_first(self):
        sentences = words.summary(
            report(
                row("won", jemalloc=(0.5, 0.4, 0.6)),
                row("same", jemalloc=(1.1, 0.9, 1.2)),
                row("little", jemalloc=(1.1, 1.05, 1.2)),
                row("much", jemalloc=(3.0, 2.9, 3.1), glibc=(1.5, 1.4, 1.6)),
            )
        )
        self.assertEqual(
            sentences[0],
            "jemalloc is faster than ours in 2 of 4 time rows: ours takes 3.0 times as much in much and "
            "10 % more in little.",
        )
        self.assertTrue(sentences[1].startswith("glibc is faster than ours in 1 of 1 time rows"))
        self.assertEqual(
            sentences[2:4],
            [
                "No difference in time beyond noise: jemalloc in 1 of 4 rows: same.",
                "ours is faster than jemalloc in 1 of 4 time rows: it takes 50 % less in won.",
            ],
        )

    def test_noise_is_never_a_win(self):
        rows = [
            row("inside", jemalloc=(0.9, 0.8, 1.01)),
            row("few", jemalloc=0.1),
            row("below", jemalloc=(0.95, 0.94, 0.96)),
            row("also below", jemalloc=(1.05, 1.04, 1.06)),
        ]
        said = words.grouped(report(*rows, noise=0.064))
        self.assertEqual(said.in_favour, [])
        self.assertEqual(len(said.against), 1)
        self.assertTrue(said.against[0].startswith("No other allocator is faster"))
        self.assertIn("below 7 %", said.unclear[0])
        self.assertIn("jemalloc in 3 of 4 rows: inside, below and also below", said.unclear[1])
        quiet = words.grouped(report(*rows, noise=noise.NOISY))
        self.assertIn("5 % more in also below", quiet.against[0])
        self.assertIn("5 % less in below", quiet.in_favour[0])
        self.assertNotIn("inside", " ".join(quiet.against + quiet.in_favour))

    def test_a_share_below_the_noise_is_nothing_however_large(self):
        rows = [row("half", jemalloc=(0.51, 0.50, 0.52)), row("more", jemalloc=(1.6, 1.5, 1.65))]
        said = words.grouped(report(*rows, noise=0.675))
        self.assertIn("below 68 % can't be told", said.unclear[0])
        self.assertEqual(said.in_favour, [])
        self.assertTrue(said.against[0].startswith("No other allocator is faster"))
        far = words.grouped(report(row("far", jemalloc=(0.31, 0.30, 0.32)), noise=0.675))
        self.assertIn("69 % less in far", far.in_favour[0])

    def test_a_mean_below_the_noise_is_nothing(self):
        rows = [row(name, jemalloc=(0.90, 0.89, 0.91)) for name in "ab"]
        self.assertIn("no difference beyond noise", words.grouped(report(*rows, noise=0.2)).means[0])
        self.assertNotIn("no difference", words.grouped(report(*rows, noise=0.01)).means[0])

    def test_noise_of_the_processor_says_nothing_of_memory(self):
        said = words.grouped(report(row("peak", "memory", "MiB", jemalloc=(1.02, 1.01, 1.03)), noise=0.3))
        self.assertIn("jemalloc is smaller than ours", said.against[0])

    def test_few_rounds_tell_nothing(self):
        sentences = words.summary(report(row("a", jemalloc=0.5), row("b", jemalloc=2.0)))
        self.assertTrue(sentences[0].startswith("Rows with fewer than 5 rounds"))
        self.assertNotIn("is faster", " ".join(sentences))

    def test_many_rows_stay_readable(self):
        rows = [row(f"row-{i}", jemalloc=(1.1 + i, 1.05 + i, 1.2 + i)) for i in range(40)]
        sentence = words.summary(report(*rows))[0]
        self.assertLess(len(sentence), 250)
        self.assertIn("37 others", sentence)

    def test_a_name_in_two_sections_says_which(self):
        lost = {"jemalloc": (2.0, 1.9, 2.1)}
        sections = [Section("Wall time", "", [row("a", **lost)]), Section("CPU", "", [row("a", **lost)])]
        self.assertIn("a (wall time)", words.summary(report(sections=sections))[0])

    def test_without_the_subject(self):
        peer = Row("row", "s", "time", {"glibc": Figure(1.0)}, {})
        self.assertIn("no figures", words.summary(report(peer))[0])


class Means(unittest.TestCase):
    def test_opposite_ratios_cancel(self):
        mean = means.combined([("a", Ratio(2.0, 1.8, 2.2)), ("b", Ratio(0.5, 0.45, 0.55))])
        self.assertAlmostEqual(mean.value, 1.0)
        self.assertTrue(mean.is_same)
        self.assertGreater(mean.low, 0.9)  # narrower than each of them

    def test_two_measures_of_one_row_are_no_narrower_than_one(self):
        one = Ratio(0.9, 0.8, 1.01)
        mean = means.combined([("a", one), ("a", one)])
        self.assertAlmostEqual(mean.low, one.low)
        self.assertAlmostEqual(mean.high, one.high)

    def test_one_ratio_without_an_interval_takes_it_from_the_mean(self):
        self.assertIsNone(means.combined([("a", Ratio(2.0, 1.9, 2.1)), ("b", Ratio(2.0))]).low)

    def test_to_the_baseline_by_the_rows_own_ratios(self):
        figures = {"glibc": Figure(2.0), "jemalloc": Figure(1.0), "ours": Figure(1.0)}
        against = {"jemalloc": Ratio(0.5, 0.3, 0.7)}
        ratios = {"glibc": Ratio(0.5, 0.4, 0.6)}
        given = Row("a", "s", "time", figures, ratios, against_baseline=against)
        found = means.to_baseline(report(given), "time")
        self.assertEqual(found["glibc"][0].value, 1.0)
        self.assertAlmostEqual(found["jemalloc"][0].low, 0.3)
        self.assertAlmostEqual(found["ours"][0].high, 0.6)


class Noise(unittest.TestCase):
    def test_spread_of_samples(self):
        made = noise.Noise()
        for _ in range(noise.MIN_SAMPLES - 1):
            made.sample()
        self.assertIsNone(made.spread())
        made.sample()
        self.assertGreaterEqual(made.spread(), 0.0)
        made.samples = [1.0, 1.0, 2.0, 3.0, 3.0]
        self.assertEqual(made.spread(), 0.5)
        self.assertTrue(noise.is_noisy(made.spread()))

    def test_what_can_be_told(self):
        self.assertEqual(noise.min_difference(None), 0.0)
        self.assertEqual(noise.min_difference(noise.NOISY), 0.0)
        self.assertEqual(noise.min_difference(0.081), 0.09)


class Numbers(unittest.TestCase):
    def test_three_digits(self):
        cases = {0: "0", 0.0123: "0.0123", 0.0071: "0.00710", 0.5: "0.500", 9.996: "10.0", 99.96: "100",
                 1234: "1234", 9999.6: "10.0k", 204312: "204k", 1e6: "1.00M", 5e9: "5.00G"}  # fmt: skip
        for value, text in cases.items():
            self.assertEqual(numbers.number(value), text)
        self.assertEqual([numbers.tick(v) for v in (1.0, 0.25, 100.0, 40e3)], ["1", "0.25", "100", "40k"])

    def test_a_row_of_no_known_kind(self):
        with self.assertRaises(ValueError):
            Row("a", "s", "speed", {}, {})


if __name__ == "__main__":
    unittest.main()
