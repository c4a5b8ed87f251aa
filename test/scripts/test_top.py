# SPDX-License-Identifier: MIT
"""The page of `spillway top`: what fits, sorting, keys, what is missing or foreign."""

import dataclasses
import re
import unittest

import support
from made_up import one_class, reading, without
from spillway_cli.figures import record
from spillway_cli.figures.rates import Change
from spillway_cli.figures.text import cells
from spillway_cli.top import columns, history, page
from spillway_cli.top.state import QUIT, READ, State

SIZES = [4096 + 512 * number for number in range(40)]


def change(**values):
    before = [one_class(size, live=1, allocations_total=10, refills_total=0) for size in SIZES]
    after = [
        one_class(
            size, live=number + 1, cached=number, allocations_total=10 + 4 * number, refills_total=number
        )
        for number, size in enumerate(SIZES)
    ]  # fmt: skip
    return Change(reading(0.0, before), reading(2.0, after, **values))


def text(lines):
    return page.plain(lines)


class Page(unittest.TestCase):
    def render(self, width, height, state=None, made=None):
        state = state or State()
        lines = page.render(state, made or change(), width, height, clock="12:34:56")
        self.assertLessEqual(len(lines), height)
        for line in lines:
            self.assertLessEqual(sum(cells(part) for part, _ in line), width, line)
        return text(lines)

    def test_fits_terminals_of_all_sizes(self):
        for width in (1, 29, 30, 40, 53, 79, 80, 81, 120, 200, 300):
            for height in (1, 2, 5, 6, 10, 24, 25, 60, 100):
                with self.subTest(width=width, height=height):
                    state = State()
                    for _ in range(3):
                        state.remember(history.point(change()))
                    self.render(width, height, state)
                    state.press("h")
                    self.render(width, height, state)

    def test_a_small_terminal_has_the_essentials(self):
        shown = self.render(80, 24)
        self.assertEqual(len(shown.splitlines()), 24)
        for word in (
            "server", "pid 77", "Spillway 0.1.0", "every 1 s", "12:34:56", "resident", "free dirty",
            "retained", "page faults", "purge refused", "mimalloc", "total", "rows 1-", "q quit",
            "SIZE", "LIVE", "ALLOC/s", "FREE/s", "HIT %", "REFILL/s", "CACHED",
        ):  # fmt: skip
            self.assertIn(word, shown)

    def test_a_large_one_has_all_columns_and_graphs(self):
        state = State()
        for resident in (1 << 20, 2 << 20, 4 << 20):
            made = change(process={"resident": resident})
            state.remember(history.point(made))
        shown = self.render(200, 60, state)
        for word in ("GROWTH/s", "ALLOCATIONS", "|||||", "1.0 MiB to 4.0 MiB", "_:#"):
            self.assertIn(word, shown)

    def test_the_help_fits_the_smallest_usual_terminal(self):
        state = State()
        state.press("?")
        shown = self.render(80, 24, state)
        for column in columns.COLUMNS:
            self.assertIn(column.heading, shown)
        self.assertNotIn("~", shown)

    def test_an_older_library(self):
        bare = without(
            change().later, "version", "program", "pool_free_bytes", "mimalloc_live_bytes", "refills_total",
            "thread_caches", "purges_refused_total", "large_live_bytes",
        )  # fmt: skip
        shown = self.render(80, 24, made=Change(None, bare))
        self.assertNotIn("free dirty", shown)
        self.assertIn("pid 77", shown)
        self.assertIn("resident", self.render(80, 24, made=Change(None, without(bare, "classes"))))

    def test_first_reading_and_another_program(self):
        self.assertIn("-/s", self.render(80, 24, made=Change(None, change().later)))
        made = Change(change().later, change(program="other").later)
        self.assertIn("rates begin anew", self.render(80, 24, made=made))

    def test_foreign_names(self):
        for name in ("a\x1b[2Jb\nc", "値" * 60, "", "x" * 300):
            shown = self.render(80, 24, made=change(program=name))
            self.assertNotIn("\x1b", shown)
            self.assertIn("pid 77", shown.splitlines()[0])

    def test_tenants(self):
        self.assertNotIn("TENANT", self.render(80, 24))
        one = {"live_bytes": 5 << 20, "live_blocks": 7, "peak_bytes": 6 << 20, "allocations_total": 10}
        two = {"tenant": "small", "live_bytes": 1 << 10, "live_blocks": 1, "allocations_total": 1}
        before, after = dict(one, tenant="web"), dict(one, tenant="web", soft_limit_bytes=4 << 20)
        after.update(allocations_total=30, soft_limit_exceeded_total=3)
        made = Change(reading(0.0, tenants=[before]), reading(2.0, tenants=[two, after]))
        for shown in (self.render(80, 24, made=made), text(page.once(State(), made, 80))):
            self.assertRegex(shown, r"TENANT +IN LIVE +LIVE +ALLOC/s +SOFT LIMIT +EXCEEDED")
            self.assertRegex(shown, r"\nweb +5\.0 MiB +7 +10 +4\.0 MiB +3(?s:.*)\nsmall +1\.0 KiB +1 +- +- +0")
        # They leave most of the page to the classes.
        many = [dict(one, tenant=f"t{number}") for number in range(99)]
        shown = self.render(80, 24, made=change(tenants=many))
        self.assertIn("total", shown)
        self.assertIn("q quit", shown)
        self.assertEqual(len(re.findall(r"\nt\d", shown)), 5)
        shown = text(page.once(State(), change(tenants=many), 80))
        self.assertEqual(len(re.findall(r"\nt\d", shown)), 99)

    def test_troubles_show_when_there_are_some(self):
        self.assertNotIn("double frees", self.render(200, 60))
        self.assertIn("double frees", self.render(200, 60, made=change(double_frees_total=1)))

    def test_limits(self):
        made = change(options={"limit": "1048576", "hard_limit": "none", "purge_delay": "1000"})
        shown = self.render(200, 60, made=made)
        for words in (r"limit +1\.0 MiB", r"hard limit +none", r"purge after +1000 ms"):
            self.assertRegex(shown, words)

    def test_scrolling(self):
        state = State(sort="size")
        self.render(80, 24, state)
        state.press("page down")
        self.assertEqual(state.first, state.rows_shown)
        state.press("end")
        self.assertIn(f"-{state.rows_known} of {state.rows_known}", self.render(80, 24, state))
        self.render(80, 100, state)  # all fit: from the first on
        self.assertEqual(state.first, 0)
        state.press("up")
        self.assertEqual(state.first, 0)

    def test_totals_are_of_all_rows(self):
        made = change()
        shown, _ = columns.fitting(made.rows, 200)
        live = next(column for column in shown if column.name == "live")
        expected = sum(row.live_bytes for row in made.rows)
        self.assertEqual(columns.total(made.rows, live), expected)
        self.assertIsNone(columns.total(made.rows, columns.find("hits")))

    def test_idle_classes_can_be_hidden(self):
        state = State()
        rows, _ = page.prepare(state, change(), 80)
        state.press("i")
        busy, _ = page.prepare(state, change(), 80)
        self.assertTrue(all(row.busy for row in busy))
        self.assertLess(len(busy), len(rows))
        # The total stays that of all.
        self.assertRegex(self.render(80, 24, state), r"(?m)^ +total +820 +14\.6 MiB ")

    def test_once_has_every_row(self):
        shown = text(page.once(State(), change(), 80))
        self.assertTrue(all(len(line) <= 80 for line in shown.splitlines()))
        self.assertIn("every 1 s", shown)
        sizes = [line[:8].strip() for line in shown.splitlines()[-2 - len(SIZES) : -1]]
        for size in ("mimalloc", "4 KiB", "13.5 KiB", "23.5 KiB"):
            self.assertIn(size, sizes)


class Graphs(unittest.TestCase):
    def test_from_the_least_to_the_most(self):
        self.assertEqual(history.sparkline([0, 5, 10], "_-#"), "_-#")
        self.assertEqual(history.sparkline([7, 7], "_-#"), "__")
        self.assertEqual(history.sparkline([0, 0], "_-#"), "__")
        self.assertEqual(history.sparkline([1000, 1001], "_-#"), "__")


class Sorting(unittest.TestCase):
    def names(self, sort, reverse=False, made=None):
        ordered = columns.ordered((made or change()).rows, columns.find(sort), reverse)
        return [row.name or row.block_size for row in ordered]

    def test_each_column_both_ways(self):
        rows = change().rows
        for column in columns.COLUMNS:
            for reverse in (False, True):
                with self.subTest(column=column.name, reverse=reverse):
                    found = columns.ordered(rows, column, reverse)
                    self.assertCountEqual(map(repr, found), map(repr, rows))
                    values = [column.value(row) for row in found]
                    known = [value for value in values if value is not None]
                    descending = column.ascending == reverse
                    self.assertEqual(known, sorted(known, reverse=descending))
                    # What is unknown comes last whatever the order.
                    self.assertEqual(values[: len(known)], known)

    def test_blocks_of_mimalloc_come_before_the_classes_and_large_ones_after(self):
        names = self.names("size")
        self.assertEqual((names[0], names[1], names[-1]), ("mimalloc", 4096, "large"))
        self.assertEqual(self.names("size", reverse=True), names[::-1])

    def test_ties_are_by_size(self):
        classes = [one_class(size, live=0) for size in (12288, 4096, 8192)]
        names = self.names("blocks", made=Change(None, reading(0.0, classes)))
        self.assertEqual(names, [4096, 8192, 12288, "large", "mimalloc"])

    def test_names_and_keys_are_unique(self):
        for field in ("name", "key"):
            found = [getattr(column, field) for column in columns.COLUMNS]
            self.assertEqual(len(found), len(set(found)))
        self.assertFalse({column.key for column in columns.COLUMNS} & set(State()._actions()))

    def test_columns_hold_what_they_show(self):
        for column in columns.COLUMNS:
            self.assertLessEqual(len(column.heading), column.width)
        largest = 2**62
        row = dataclasses.replace(
            change().rows[0], live=largest, live_bytes=largest, allocated=largest, freed=largest,
            refilled=largest, spilled=largest, cached_bytes=largest, grown_bytes=-largest, seconds=1.0,
        )  # fmt: skip
        for column in columns.COLUMNS:
            if column.name != "size":
                self.assertLessEqual(len(column.text(column.value(row))), column.width, column.name)


class Keys(unittest.TestCase):
    def test_what_ends_and_what_reads(self):
        state = State()
        self.assertEqual(state.press("q"), QUIT)
        self.assertEqual(state.press(" "), READ)
        self.assertIsNone(state.press("x"))
        self.assertIsNone(state.press("p"))
        self.assertTrue(state.paused)
        self.assertEqual(state.press("p"), READ)
        self.assertFalse(state.paused)

    def test_help_is_left_by_any_key_and_quits_by_q(self):
        state = State()
        state.press("h")
        self.assertIsNone(state.press(" "))
        self.assertFalse(state.help)
        state.press("?")
        self.assertEqual(state.press("q"), QUIT)

    def test_interval(self):
        state = State(interval=1.5)
        state.press("+")
        self.assertEqual(state.interval, 2)
        for _ in range(20):
            state.press("-")
        self.assertEqual(state.interval, 0.1)
        for _ in range(20):
            state.press("=")
        self.assertEqual(state.interval, 60)

    def test_sorting(self):
        state = State()
        state.press("a")
        self.assertEqual((state.sort, state.reverse), ("allocs", False))
        state.press("a")
        self.assertEqual((state.sort, state.reverse), ("allocs", True))
        state.press("R")
        self.assertFalse(state.reverse)
        shown, _ = columns.fitting(change().rows, 80)
        for _ in range(20):
            state.press("<", shown)
        self.assertEqual(state.sort, shown[0].name)
        for _ in range(20):
            state.press(">", shown)
        self.assertEqual(state.sort, shown[-1].name)
        state.sort = "used"  # a column that is not on the page
        state.press(">", shown)
        self.assertEqual(state.sort, shown[0].name)

    def test_history_is_bounded(self):
        state = State()
        for number in range(1000):
            state.remember((number,))
        self.assertLessEqual(len(state.history), 400)
        self.assertEqual(state.history[-1], (999,))


class Record(unittest.TestCase):
    def test_the_snapshot_is_there_as_it_is_and_its_rates(self):
        made = change()
        found = record.of_change(made)
        self.assertEqual(found["statistics"], made.later.snapshot)
        self.assertEqual((found["pid"], found["program"], found["seconds"]), (77, "server", 2.0))
        self.assertEqual(found["rates"]["allocations"], made.rate("allocations_total"))
        self.assertEqual(found["rates"]["classes"][1]["allocations"], 2.0)
        self.assertEqual(len(found["rates"]["classes"]), len(SIZES))

    def test_unknown_rates_are_null(self):
        found = record.of_change(Change(None, change().later))
        self.assertIsNone(found["seconds"])
        self.assertIsNone(found["rates"]["allocations"])
        self.assertFalse(found["anew"])


class Mistakes(unittest.TestCase):
    def test_each_is_one_line_and_a_status(self):
        cases = [
            (("top", "999999999"), 2, "not a terminal"),
            (("top", "--once", "999999999"), 1, "no process 999999999"),
            (("top", "--json", "no-such-name"), 1, "no process named no-such-name"),
            (("top", "--once", "--count", "2", "1"), 2, "--count goes with --json"),
            (("top", "--once", "1", "--", "true"), 2, "top: takes no command"),
        ]
        for arguments, status, words in cases:
            with self.subTest(arguments=arguments):
                found, line = support.said(*arguments)
                self.assertEqual(found, status)
                self.assertIn(words, line)
                self.assertEqual(line.count("\n"), 1)
                self.assertTrue(line.startswith("spillway: "))

    def test_wrong_values_are_refused(self):
        for arguments in (
            ("--interval", "0"), ("--interval", "x"), ("--interval", "nan"), ("--sort", "colour"),
            ("--count", "0"), ("--once", "--json"),
        ):  # fmt: skip
            self.assertEqual(support.said("top", *arguments, "1")[0], 2)


if __name__ == "__main__":
    unittest.main()
