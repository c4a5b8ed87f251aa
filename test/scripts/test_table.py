# SPDX-License-Identifier: MIT
"""The terminal table: 80 columns, whatever the values."""

import unittest

import support  # noqa: F401
from spillway_cli.ab import command, measures, table
from spillway_cli.ab.measure import Sample
from spillway_cli.ab.metric import Metric
from spillway_cli.ab.programs import of_command
from spillway_cli.ab.rounds import Comparison, Result

from report import columns, numbers
from report.statistics import Ratio  # known once spillway_cli is

WIDEST = "twelve-chars"


def samples(wall, cpu=1.0, rounds=5, rss=100 << 20, faults=1000):
    return [Sample(wall + i / 1000, cpu, rss, faults, 0) for i in range(rounds)]


def comparison(**results):
    made = {name: Result(name) for name in ("glibc", *results)}
    made["glibc"].samples = samples(1.0)
    for name, found in results.items():
        if isinstance(found, str):
            made[name].failure = found
        else:
            made[name].samples = found
    return Comparison(of_command(["/bin/program", "x" * 100, "word " * 30]), made)


class Widths(unittest.TestCase):
    def assert_narrow(self, text):
        for line in text.splitlines():
            if " " in line.strip():  # a single long word has no place to break
                self.assertLessEqual(len(line), 80, line)

    def test_extreme_values_fit(self):
        for wall in (0.0, 0.001, 9.9996, 99.9996, 599.0):
            for rss, faults in ((0, 0), (1 << 20, 9999), (999 << 30, 999_999_999)):
                made = comparison(**{WIDEST: samples(wall, wall, 5, rss, faults)})
                self.assert_narrow(table.format_comparison(made))

    def test_a_long_failure_is_wrapped(self):
        made = comparison(**{WIDEST: "killed by SIGSEGV: " + "some words of an error " * 9})
        text = table.format_comparison(made)
        self.assertIn("FAILED: killed by SIGSEGV", text)
        self.assert_narrow(text)

    def test_explanation_fits(self):
        self.assert_narrow("\n".join(table.explanation(comparison().program)))
        self.assertLessEqual(len(table.HEADING), 80)


class Cells(unittest.TestCase):
    def test_noise_is_a_tilde(self):
        self.assertEqual(columns.ratio(Ratio(1.01, 0.98, 1.04)), "~    [0.98, 1.04]")
        self.assertEqual(columns.ratio(Ratio(0.83, 0.81, 0.85)), "0.83 [0.81, 0.85]")
        self.assertEqual(columns.ratio(Ratio(0.83)), "0.83")

    def test_so_is_what_is_below_the_noise_of_the_machine(self):
        self.assertEqual(columns.ratio(Ratio(0.51, 0.50, 0.52), min_difference=0.68), "~    [0.50, 0.52]")
        self.assertEqual(columns.ratio(Ratio(0.31, 0.30, 0.32), min_difference=0.68), "0.31 [0.30, 0.32]")
        made = comparison(half=samples(0.5))
        self.assertIn(" 0.50 [", table.format_comparison(made))
        self.assertNotIn(" 0.50 [", table.format_comparison(made, 0.68))
        two = [comparison(half=samples(0.5)), comparison(half=samples(0.5))]
        self.assertIn("~    [0.50, 0.50]", table.format_summary(two, 0.68))

    def test_what_a_table_claims(self):
        made = comparison(half=samples(0.5), same=samples(1.0), bad="died")
        self.assertEqual(table.claims(made, 0.0), {"half's wall time"})
        self.assertEqual(table.claims(made, 0.68), set())
        taken_back = list(command._taken_back([made], 0.68, {"program": 0.1}))
        self.assertEqual(len(taken_back), 1)
        self.assertIn("program: no difference after all", taken_back[0])
        self.assertIn("half's wall time", taken_back[0])
        self.assertEqual(list(command._taken_back([made], 0.68, {})), [])
        made.failure = "died"
        self.assertEqual(table.claims(made, 0.0), set())

    def test_a_metric_may_have_the_name_of_a_field(self):
        program = of_command(["/bin/program"], metrics=(Metric("peak_rss", "(x)", False),))
        found = [Sample(1.0, 1.0, 1 << 20, 1000, 0, metrics={"peak_rss": 1234.5})] * 5
        made = Comparison(program, {"glibc": Result("glibc", found)})
        lines = table.format_comparison(made).splitlines()
        self.assertEqual(lines[-2].index("against"), len("  ") + columns.NAME + measures.METRIC_WIDTH + 1)
        self.assertEqual(lines[-1].split(), ["glibc", "1234"])

    def test_memory_is_the_median(self):
        own = [Sample(1.0, 1.0, rss << 20, 1000, 0) for rss in (10, 30, 20, 11, 12)]
        line = table.format_comparison(comparison(one=own)).splitlines()[-1]
        self.assertEqual(line.split()[-2:], ["12.0", "1000"])

    def test_numbers(self):
        self.assertEqual([numbers.short(x) for x in (0.5, 12.34, 999.6)], ["0.50", "12.3", "1000"])
        self.assertEqual(
            [numbers.count(x) for x in (0, 9999, 10_000, 123_456, 2_500_000)],
            ["0", "9999", "10.0k", "123k", "2.5M"],
        )


class Left(unittest.TestCase):
    def test_what_servers_hold_has_a_line_of_its_own(self):
        made = comparison(one=samples(1.0), other="died")
        self.assertNotIn("left MiB", table.format_comparison(made))
        made.results["glibc"].left = [30 << 20, 10 << 20, 20 << 20]
        made.results["one"].left = [5 << 20]
        made.results["other"].left = [7 << 20]
        self.assertIn("\n  left MiB    glibc 20.0, one 5.00", table.format_comparison(made))


class Summary(unittest.TestCase):
    def test_one_program_has_none(self):
        self.assertEqual(table.format_summary([comparison(fast=samples(0.5))]), "")

    def test_failed_programs_are_left_out_and_counted(self):
        made = [comparison(fast=samples(0.5)), comparison(fast=samples(0.5)), comparison(fast="died")]
        text = table.format_summary(made)
        self.assertIn("0.50 [0.50, 0.50]", text)
        self.assertIn("without 1 that failed", text)

    def test_failed_everywhere(self):
        made = [comparison(fast="died"), comparison(fast="died")]
        self.assertIn("FAILED in all of them", table.format_summary(made))


if __name__ == "__main__":
    unittest.main()
