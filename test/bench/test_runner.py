# SPDX-License-Identifier: MIT
"""The arithmetic and the printing of scripts/bench; no benchmark runs here."""

import dataclasses
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from runner import allocators, goals, main, rounds, suites, table, text, verdicts  # noqa: E402
from runner.suites import base, calls, latency, memory, pool, startup, traces  # noqa: E402


class Tables(unittest.TestCase):
    def test_every_goal_fits(self):
        every = {row for goal in goals.GOALS for row in goal.rows}
        names = [*allocators.DEFAULT, "rpmalloc"]
        for figure in (0.004, 3.2, 123456.0):
            rows = {row: {name: [figure] * 3 for name in names} for row in every}
            results = verdicts.judge_all(goals.GOALS, verdicts.Figures(rows))
            lines = table.goals_table(results) + table.rows_table(rows, names, {}, {})
            lines += table.against_table(rows, goals.SUBJECT, {}, {}, goals.BASES)
            for line in lines:
                self.assertLessEqual(len(line), table.WIDTH, line)

    def test_numbers_are_short(self):
        for value in (0, 0.001, 9.99, 9.999, 99.99, 12345.6, 99999.6, 9e6):
            self.assertLessEqual(len(table.number(value)), 5, value)

    def test_a_row_says_its_unit_once(self):
        self.assertEqual(table.label("walk/256KiB", "ns"), "walk/256KiB ns")
        self.assertEqual(table.label("server/rss_mib", "MiB"), "server/rss_mib")
        self.assertEqual(table.label("fill/ms", "ms"), "fill/ms")
        self.assertEqual(table.label("churn/mappings", ""), "churn/mappings")
        self.assertEqual(table.label("pair/16B", None), "pair/16B")

    def test_a_row_stands_beside_what_it_is_compared_with(self):
        rows = {"p/1": {"a": [2.0]}, "p/2": {"a": [5.0]}, "p/3": {"b": [1.0]}}
        lines = table.against_table(rows, "a", {}, {}, {"p/2": "p/1", "p/1": "p/3"})
        self.assertEqual([line.split() for line in lines[2:]],
                         [["p/1", "2.00"], ["p/2", "5.00", "2.50", "p/1"]])

    def test_a_missing_figure_is_a_blank(self):
        rows = {"p/1": {"a": [1.0]}, "p/2": {"a": [1.0], "b": [2.0]}}
        lines = table.rows_table(rows, ["a", "b"], {}, {})
        self.assertEqual([line.split() for line in lines[2:6]],
                         [["p/1", "1.00"], ["1.00"], ["p/2", "1.00", "2.00"], ["1.00", "2.00"]])
        self.assertEqual(lines[2].index("1.00"), lines[4].index("1.00"))

    def test_below_zero_there_is_no_ratio_and_no_spread(self):
        rows = {"p/1": {"a": [2.0] * 3, "b": [-1.0, -0.5, -3.0]},
                "p/2": {"a": [-2.0] * 3, "b": [1.0] * 3}}
        lines = table.rows_table(rows, ["a", "b"], {}, {})
        self.assertEqual([line.split() for line in lines[2:5]],
                         [["p/1", "2.00", "-1.00", "0%"], ["1.00"], ["p/2", "-2.00", "1.00", "0%"]])
        self.assertEqual([table.number(value) for value in (-0.05, -3.21, -123456)],
                         ["-0.050", "-3.21", "-123k"])

    def test_variables_that_allocators_read_are_told(self):
        with unittest.mock.patch.dict(os.environ, {"MIMALLOC_VERBOSE": "1", "MALLOC_CONF": "x:1"}):
            campaign = rounds.Campaign([])
        self.assertEqual(campaign.environment, {"MALLOC_CONF": "x:1", "MIMALLOC_VERBOSE": "1"})
        self.assertIn("set here: MALLOC_CONF=x:1, MIMALLOC_VERBOSE=1", text.warnings(campaign)[0])
        for line in text.heading(campaign, {}, []):
            self.assertLessEqual(len(line), table.WIDTH, line)


class Finding(unittest.TestCase):
    def test_a_name_that_means_nothing(self):
        with self.assertRaises(allocators.BadAllocator):
            allocators.find(["frobmalloc"], ROOT)

    def test_a_wanted_library_must_exist(self):
        with self.assertRaises(allocators.BadAllocator):
            allocators.find(["mine=/no/such/library.so"], ROOT)

    def test_the_linked_one_has_programs_of_its_own(self):
        found, _ = allocators.find([goals.LINKED, "glibc"], ROOT)
        folder = pathlib.Path("/b")
        self.assertEqual([one.program(folder, "bench_calls") for one in found],
                         [folder / "bench_calls_linked", folder / "bench_calls"])
        self.assertTrue(found[0].serves("/b/bench_calls_linked"))
        self.assertFalse(found[0].serves("/lib/libc.so.6"))
        self.assertNotIn(goals.LINKED, allocators.DEFAULT)

    def test_a_default_one_may_be_missing(self):
        with tempfile.TemporaryDirectory() as empty:
            found, left_out = allocators.find(None, pathlib.Path(empty))
        self.assertIn("glibc", [one.name for one in found])
        self.assertTrue(any(line.startswith("spillway") for line in left_out))

    def test_a_path_the_loader_would_split(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder) / "two words.so"
            library.touch()
            with self.assertRaises(allocators.BadAllocator):
                allocators.find([f"mine={library}"], ROOT)

    def test_names_of_given_libraries(self):
        for text_ in ("=/bin/true", "a b=/bin/true", "linked=/bin/true", ""):
            with self.assertRaises(allocators.BadAllocator, msg=text_):
                allocators.find([text_], ROOT)


class Suites(unittest.TestCase):
    def test_a_row_belongs_to_one_suite(self):
        expected = {"empty/pair": "calls", "pair_word/4KiB": "calls", "empty_replace/1": "threads",
                    "replace/64/4K-1M/8t": "threads", "startup/cpu_us": "startup",
                    "realloc/1MiB": "memory", "threads16/idle_mib": "memory",
                    "pool/set/17/8t": "pool", "freelist/empty/8M": "pool"}
        expected |= {row: suites.suite_of(row).name for goal in goals.GOALS for row in goal.rows}
        self.assertEqual({row: [suite.name for suite in suites.SUITES.values() if suite.owns(row)]
                          for row in expected}, {row: [name] for row, name in expected.items()})
        self.assertIsNone(suites.suite_of("nothing/4KiB"))

    def test_no_prefix_is_in_two_suites(self):
        prefixes = [(prefix, suite.name) for suite in suites.SUITES.values()
                    for prefix in suite.prefixes]
        for prefix, name in prefixes:
            self.assertEqual([other for longer, other in prefixes
                              if longer.startswith(prefix) and other != name], [], prefix)

    def test_each_goal_has_a_line_of_its_own(self):
        lines = [(goal.work, goal.kind, goal.other) for goal in goals.GOALS]
        self.assertEqual(sorted(set(lines)), sorted(lines))

    def test_each_goal_is_decided_by_one_suite(self):
        for goal in goals.GOALS:
            owners = {suites.suite_of(row).name for row in goal.rows}
            self.assertEqual(len(owners), int(bool(goal.rows)), goal.work)

    def test_each_suite_has_each_length(self):
        for suite in suites.SUITES.values():
            self.assertEqual(set(suite.rounds), set(suites.LENGTHS), suite.name)
            self.assertEqual(set(suite.arguments), set(suites.LENGTHS), suite.name)

    def test_a_report_of_memory(self):
        report = {"context": {"malloc_from": "/lib/libc.so.6"}, "results": [
            {"name": "fill/1GB", "queued": 0.5, "ms_and_rss_kib": [[[0, 4], [5, 8]]], "rows": [
                {"name": "fill/ms", "unit": "ms", "value": 350, "samples": [350]}]},
            {"name": "walk/256KiB", "queued": 0, "ms_and_rss_kib": [[]], "rows": [
                {"name": "walk/256KiB", "unit": "ns", "value": 6.5}]}]}
        outcome = measured(memory, [report], "glibc")
        self.assertEqual(outcome.figures, {"fill/ms": {"glibc": 350}, "walk/256KiB": {"glibc": 6.5}})
        self.assertEqual(outcome.disturbed, {("fill/ms", "glibc")})
        self.assertEqual(outcome.units["walk/256KiB"], "ns")
        self.assertEqual(outcome.series["fill/1GB"], [[[0, 4], [5, 8]]])

    def test_a_report_of_traces(self):
        report = {"context": {"malloc_from": "/lib/libc.so.6"}, "results": [
            {"name": "trace/gcc", "ns": {"median": 20}, "ns_again": {"median": 15}, "peak_mib": 4.4,
             "peak_ratio": 1.25, "faults": 1100}]}
        outcome = measured(traces, [report], "glibc")
        self.assertEqual({row: figures["glibc"] for row, figures in outcome.figures.items()}, {
            "trace/gcc/ns": 20, "trace/gcc/again_ns": 15, "trace/gcc/peak_mib": 4.4,
            "trace/gcc/peak_ratio": 1.25, "trace/gcc/faults": 1100})
        self.assertEqual([traces.kind(row, None) for row in outcome.figures],
                         ["time", "time", "memory", "memory", "count"])

    def test_memory_over_time_is_a_curve_in_seconds_and_mib(self):
        found = memory.curves({"live": {"glibc": [[[[100, 1024], [1100, 2048]]]]},
                               "fill/1GB": {"glibc": [[[[0, 1]], [[0, 1]]]]}})
        self.assertEqual([(curve.title, curve.lines) for curve in found],
                         [("live: resident memory", {"glibc": [(0, 1), (1, 2)]})])

    def test_the_spread_of_fills_is_over_all_rounds(self):
        rows = {"fill/spread": {"glibc": [9, 9, 9]}}
        memory.derive({memory.FILL_SAMPLES: {"glibc": [[1, 2], [1, 2], [2, 4]]}}, rows)
        self.assertEqual(rows["fill/spread"]["glibc"], [2])

    def test_a_report_of_pools(self):
        context = {"malloc_from": "/lib/libc.so.6"}
        pools = {"context": context, "benchmarks": [
            {"name": "pool/pair/4KiB", "real_time": 7, "cpu_time": 6},
            {"name": "pool/set/17/8t/iterations:1/manual_time", "real_time": 9, "cpu_time": 1e6,
             "quiet": 0.1},
            {"name": "pool/zeroed_fresh_pages/iterations:1", "real_time": 5, "cpu_time": 5,
             "pages": 3}]}
        freelist = {"context": context, "benchmarks": [
            {"name": "freelist/empty/64", "real_time": 3, "cpu_time": 2}]}
        outcome = measured(pool, [pools, freelist], "spillway")
        self.assertEqual(outcome.figures, {
            "pool/pair/4KiB": {"spillway": 6}, "pool/set/17/8t": {"spillway": 9},
            "pool/zeroed_fresh_pages": {"spillway": 3}, "freelist/empty/64": {"spillway": 2}})
        self.assertEqual(outcome.disturbed, {("pool/set/17/8t", "spillway")})
        self.assertEqual(outcome.units, {"pool/zeroed_fresh_pages": "pages"})

    def test_a_benchmark_that_gave_up_has_no_time(self):
        gone = {"context": {"malloc_from": "/lib/libc.so.6"}, "benchmarks": [
            {"name": "aligned/64B/4KiB", "cpu_time": 0, "error_occurred": True,
             "error_message": "aligned_alloc returned null"}]}
        for module in (calls, pool):
            with self.assertRaisesRegex(suites.SuiteFailed, "aligned/64B/4KiB: aligned_alloc"):
                measured(module, [gone], "glibc")

    def test_the_loops_alone_are_not_for_the_report(self):
        for row in ("pool/empty", "empty/pair", "empty_replace/1", "latency/empty/4K-64K/1t/p50"):
            self.assertIsNone(suites.suite_of(row).kind(row, "ns"), row)
        self.assertEqual(pool.SUITE.kind("freelist/empty/64", "ns"), "time")

    def test_a_report_of_start_ups(self):
        report = {"context": {}, "results": [
            {"name": "glibc", "malloc_from": "/lib/libc.so.6", "wall_us": {"median": 9},
             "cpu_us": {"median": 8}, "faults": 70, "rss_kib": 1000}]}
        with unittest.mock.patch.object(startup, "run_json", return_value=report):
            outcome = startup.measure(pathlib.Path("/b"), [allocators.Allocator("glibc", None)], ())
        self.assertEqual({row: (outcome.units[row], startup.SUITE.kind(row, outcome.units[row]))
                          for row in outcome.figures},
                         {"startup/wall_us": ("us", "time"), "startup/cpu_us": ("us", "time"),
                          "startup/faults": ("", "count"), "startup/rss_kib": ("KiB", "memory")})

    def test_a_disturbed_latency_is_marked(self):
        one = {"name": "latency/free/1t", "histogram": [], "quiet": 0.2,
               **{percentile: 5 for percentile in latency.PERCENTILES}}
        context = {"malloc_from": "/lib/libc.so.6"}
        outcome = measured(latency, [{"context": context, "results": [one]}], "glibc")
        self.assertEqual(outcome.disturbed, {(row, "glibc") for row in outcome.figures})
        one = {**one, "quiet": 0.3}
        quiet = measured(latency, [{"context": context, "results": [one]}], "glibc")
        self.assertEqual(quiet.disturbed, set())

    def test_latencies_of_all_rounds_are_one_curve(self):
        found = latency.curves({"latency/free/1t": {"glibc": [[[10, 8], [20, 1]], [[20, 1]]]}})
        self.assertEqual(found[0].lines, {"glibc": [(1, 10), (5, 20)]})

    def test_pools_run_beside_spillway_only(self):
        names = [name for name in allocators.DEFAULT
                 if pool.SUITE.wanted(allocators.Allocator(name, None))]
        self.assertEqual(names, [goals.SUBJECT])

    def test_another_allocator_than_wanted_is_a_failure(self):
        report = {"context": {"malloc_from": "/lib/libelse.so"}, "benchmarks": []}
        with self.assertRaises(suites.SuiteFailed):
            measured(calls, [report], "glibc")

    def test_goals_of_suites_that_did_not_run_are_no_error(self):
        campaign = rounds.Campaign([allocators.Allocator("glibc", None)])
        self.assertEqual(main.unknown_rows(campaign, ["pool"], "full"), [])

    def test_rows_that_a_quick_run_leaves_out_are_no_error(self):
        campaign = rounds.Campaign([allocators.Allocator("glibc", None)])
        campaign.done["memory"] = 1
        self.assertIn("burst/ns", main.unknown_rows(campaign, ["memory"], "full"))
        self.assertEqual(main.unknown_rows(campaign, ["memory"], "quick"), [])


def measured(module, reports, name):
    """What a suite makes of its programs' reports."""
    with unittest.mock.patch.object(base, "run_json", side_effect=reports):
        return module.measure(pathlib.Path("/b"), allocators.Allocator(name, None), ())


class Rounds(unittest.TestCase):
    def setUp(self):
        self.campaign = rounds.Campaign([allocators.Allocator(name, None) for name in ("one", "two")])
        self.turns = []

    def run_with(self, calls_measure, threads_measure):
        table = {name: dataclasses.replace(suites.SUITES[name], measure=measure)
                 for name, measure in (("calls", calls_measure), ("threads", threads_measure))}
        with unittest.mock.patch.dict(suites.SUITES, table):
            self.campaign.run(["calls", "threads"], pathlib.Path("/"), "quick")

    def calls(self, _programs, allocator, _arguments):
        self.turns.append(allocator.name)
        return suites.Outcome({"pair/16B": {allocator.name: 1}}, context={"cpu": "x"})

    def test_a_failure_takes_only_its_own_suite_and_column(self):
        def threads_fail(_programs, allocator, _arguments):
            if allocator.name == "two":
                raise suites.SuiteFailed("signal 11")
            return suites.Outcome({"replace/1": {allocator.name: 1}})

        self.run_with(self.calls, threads_fail)
        self.assertEqual(self.campaign.rows["pair/16B"], {"one": [1] * 3, "two": [1] * 3})
        self.assertEqual(self.campaign.rows["replace/1"], {"one": [1] * 3})
        self.assertEqual(self.campaign.failures, {("threads", "two"): "signal 11"})
        self.assertEqual(self.turns, ["one", "two", "two", "one", "one", "two"])

    def test_the_linked_one_runs_where_there_are_programs(self):
        self.campaign = rounds.Campaign([allocators.Allocator(name, None) for name in ("one", goals.LINKED)])
        without = dataclasses.replace(suites.SUITES["calls"], measure=self.calls, linked=False)
        with unittest.mock.patch.dict(suites.SUITES, {"calls": without}):
            self.campaign.run(["calls"], pathlib.Path("/"), "smoke")
        self.assertEqual(self.turns, ["one"])
        self.run_with(self.calls, self.calls)
        self.assertIn(goals.LINKED, self.turns)

    def test_a_report_without_what_it_should_have_is_a_failure(self):
        self.run_with(self.calls, lambda *_: {}["quiet"])
        self.assertEqual(self.campaign.failures[("threads", "one")], "its report has no 'quiet'")
        self.assertEqual(self.campaign.rows["pair/16B"], {"one": [1] * 3, "two": [1] * 3})

    def test_how_many_rounds(self):
        for arguments, expected in (((), (11, 5, 1)), ((None, 7), (11, 7, 1)), ((3, 7), (3, 3, 1)),
                                    ((20,), (20, 20, 1))):
            campaign = rounds.Campaign([], *arguments)
            self.assertEqual(tuple(campaign.rounds_of(name, "full")
                                   for name in ("calls", "memory", "contention")), expected)

    def test_an_interrupted_round_does_not_count(self):
        def calls_then_stop(programs, allocator, arguments):
            if len(self.turns) == 3:  # in the second round, after one of two
                raise KeyboardInterrupt
            return self.calls(programs, allocator, arguments)

        self.run_with(calls_then_stop, self.calls)
        self.assertTrue(self.campaign.interrupted)
        self.assertEqual(self.campaign.rows["pair/16B"], {"one": [1], "two": [1]})
        self.assertEqual(self.campaign.done, {"calls": 1})


if __name__ == "__main__":
    unittest.main()
