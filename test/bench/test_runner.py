"""The arithmetic and the printing of scripts/bench; no benchmark runs here."""

import dataclasses
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from runner import allocators, document, goals, main, rounds, suites, table, verdicts  # noqa: E402
from runner.goals import Goal  # noqa: E402
from runner.suites import base, calls, latency, memory, pool  # noqa: E402


def judge(goal, **rows):
    return verdicts.judge(goal, verdicts.Figures({k.replace("_", "/"): v for k, v in rows.items()}))


class Verdicts(unittest.TestCase):
    def test_worst_row_decides(self):
        goal = Goal("w", "at_most", 0.5, ("p/1", "p/2"), "mimalloc")
        verdict = judge(goal, p_1={"spillway": [1, 1, 1], "mimalloc": [10, 10, 10]},
                        p_2={"spillway": [6, 6, 6], "mimalloc": [10, 10, 10]})
        self.assertEqual((verdict.measured, verdict.at, verdict.result, verdict.sure),
                         (0.6, "2", verdicts.MISSED, True))

    def test_times_counts_speed(self):
        goal = Goal("w", "times", 3, ("p/1",), "mimalloc")
        verdict = judge(goal, p_1={"spillway": [10, 10, 10], "mimalloc": [40, 30, 35]})
        self.assertEqual((verdict.measured, verdict.result), (3.5, verdicts.MET))

    def test_fastest_ignores_the_fallback(self):
        goal = Goal("w", "fastest", 1, ("p/1",))
        columns = {"spillway": [3], "tcmalloc": [2], "glibc": [9], goals.FALLBACK: [1]}
        verdict = judge(goal, p_1=columns)
        self.assertEqual((verdict.measured, verdict.result), (1.5, verdicts.MISSED))
        self.assertIn("tcmalloc", verdict.at)

    def test_even_and_scaling_compare_rows(self):
        rows = {"p_1": {"spillway": [4]}, "p_2": {"spillway": [5]}, "p_3": {"spillway": [3]}}
        even = judge(Goal("w", "even", 1.25, ("p/1", "p/2", "p/3")), **rows)
        self.assertAlmostEqual(even.measured, 5 / 3)
        scaling = judge(Goal("w", "scaling", 1.5, ("p/1", "p/2")), **rows)
        self.assertEqual((scaling.measured, scaling.result), (1.25, verdicts.MET))

    def test_scaling_of_several_pairs_is_that_of_the_worst(self):
        rows = {"p_1": {"spillway": [4]}, "p_2": {"spillway": [5]}, "p_3": {"spillway": [3]},
                "p_4": {"spillway": [9]}}
        verdict = judge(Goal("w", "scaling", 2, ("p/1", "p/2", "p/3", "p/4")), **rows)
        self.assertEqual((verdict.measured, verdict.at, verdict.result), (3, "4", verdicts.MISSED))

    def test_extra_is_what_a_row_adds_in_units_of_another(self):
        rows = {"p_1": {"spillway": [4, 4, 4]}, "p_2": {"spillway": [7, 8, 7]},
                "p_3": {"spillway": [9, 10, 9]}}
        goal = Goal("w", "extra", 1, ("p/1", "p/2", "p/3"))
        verdict = judge(goal, **rows)
        self.assertEqual((verdict.measured, verdict.at, verdict.result, verdict.sure),
                         (0.5, "", verdicts.MET, True))

    def test_mean_is_over_all_rows(self):
        goal = Goal("w", "mean", 1.03, ("p/1", "p/2"), "x")
        verdict = judge(goal, p_1={"spillway": [2], "x": [1]}, p_2={"spillway": [1], "x": [2]})
        self.assertAlmostEqual(verdict.measured, 1)

    def test_adds_is_a_difference(self):
        goal = Goal("w", "adds", 500, ("startup/rss",), "glibc", "KiB")
        verdict = judge(goal, startup_rss={"spillway": [1600], "glibc": [1100]})
        self.assertEqual((verdict.measured, verdict.result), (500, verdicts.MISSED))

    def test_absolute_needs_no_other(self):
        goal = Goal("w", "absolute", 6, ("p/1",), unit="MiB")
        verdict = judge(goal, p_1={"spillway": [6, 5, 7]})
        self.assertEqual((verdict.measured, verdict.result, verdict.sure),
                         (6, verdicts.MET, False))
        zero = judge(Goal("w", "absolute", 0, ("p/1",)), p_1={"spillway": [0, 0, 0]})
        self.assertEqual((zero.result, zero.sure), (verdicts.MET, True))

    def test_fastest_of_one_row_names_the_peer_only(self):
        verdict = judge(Goal("w", "fastest", 1, ("p/1",)), p_1={"spillway": [1], "glibc": [2]})
        self.assertEqual(verdict.at, "glibc")

    def test_disagreeing_rounds_are_marked(self):
        goal = Goal("w", "at_most", 1, ("p/1",), "x")
        verdict = judge(goal, p_1={"spillway": [9, 9, 11, 11, 9], "x": [10] * 5})
        self.assertEqual((verdict.result, verdict.sure), (verdicts.MET, False))

    def test_what_draws_from_the_rounds_disagree_on_is_marked(self):
        goal = Goal("w", "at_most", 1, ("p/1",), "x")
        close = judge(goal, p_1={"spillway": [9, 9.1, 9.2, 10.4, 10.5, 9.3, 9.4, 10.6], "x": [10] * 8})
        self.assertEqual((close.result, close.sure), (verdicts.MET, False))
        clear = judge(goal, p_1={"spillway": [9, 9.1, 9.2, 9, 9.3], "x": [10] * 5})
        self.assertEqual((clear.result, clear.sure), (verdicts.MET, True))

    def test_disturbed_rows_are_marked(self):
        goal = Goal("w", "at_most", 1, ("p/1",), "x")
        rows = {"p/1": {"spillway": [9] * 4, "x": [10] * 4}}
        verdict = verdicts.judge(goal, verdicts.Figures(rows, {("p/1", "x")}))
        self.assertEqual((verdict.result, verdict.sure), (verdicts.MET, False))

    def test_what_is_missing_is_named(self):
        goal = Goal("w", "at_most", 1, ("p/1",), "mimalloc")
        self.assertEqual(judge(goal, p_1={"mimalloc": [1]}).at, "no spillway")
        self.assertEqual(judge(goal, p_1={"spillway": [1]}).at, "no mimalloc")
        other = judge(goal, p_1={"spillway": [1]}, p_2={"mimalloc": [1]})
        self.assertEqual((other.measured, other.at), (None, "mimalloc has no p/1"))


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
        text = "\n".join(table.rows_table(rows, ["a", "b"], {}, {}))
        self.assertIn("2.00", text)


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


class Suites(unittest.TestCase):
    def test_a_row_belongs_to_one_suite(self):
        expected = {"empty/pair": "calls", "pair_word/4KiB": "calls", "empty_replace/1": "threads",
                    "replace/64/4K-1M/8t": "threads", "startup/cpu_us": "startup",
                    "realloc/1MiB": "memory", "threads16/idle_mib": "memory",
                    "pool/set/17/8t": "pool", "freelist/empty/8M": "pool"}
        self.assertEqual({row: suites.suite_of(row).name for row in expected}, expected)
        self.assertIsNone(suites.suite_of("nothing/4KiB"))

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

    def test_memory_over_time_is_a_curve_in_seconds_and_mib(self):
        found = memory.curves({"live": {"glibc": [[[[100, 1024], [1100, 2048]]]]},
                               "fill/1GB": {"glibc": [[[[0, 1]], [[0, 1]]]]}})
        self.assertEqual([(curve.title, curve.lines) for curve in found],
                         [("live: resident memory", {"glibc": [(0, 1), (1, 2)]})])

    def test_the_spread_of_fills_is_over_all_rounds(self):
        rows = {"fill/spread": {"glibc": [9, 9, 9]}}
        memory.derive({memory.FILL_SAMPLES: {"glibc": [[1, 2], [1, 2], [2, 4]]}}, rows)
        self.assertEqual(rows["fill/spread"]["glibc"], [2, 2, 4 / 3])

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

    def test_goals_of_rows_that_nobody_ran_are_no_error(self):
        campaign = rounds.Campaign([allocators.Allocator("glibc", None)])
        self.assertEqual(main.unknown_rows(campaign, ["pool"]), [])


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

    def test_an_interrupted_round_counts_for_nobody(self):
        def calls_then_stop(programs, allocator, arguments):
            if len(self.turns) == 3:  # in the second round, after one of two
                raise KeyboardInterrupt
            return self.calls(programs, allocator, arguments)

        self.run_with(calls_then_stop, self.calls)
        self.assertTrue(self.campaign.interrupted)
        self.assertEqual(self.campaign.rows["pair/16B"], {"one": [1], "two": [1]})
        self.assertEqual(self.campaign.done, {"calls": 1})


class Agreement(unittest.TestCase):
    GOAL = Goal("w", "absolute", 6, ("p/1",), unit="MiB")

    def file(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "report.json"
        path.write_text(text, encoding="utf-8")
        return path

    def earlier(self, **changes):
        one = {"work": "w", "kind": "absolute", "other": "", "measured": 7.0, "result": "NOT MET",
               "sure": True, **changes}
        return document.verdicts_in(self.file(json.dumps({"goals": [one]})))

    def test_only_verdicts_that_both_are_sure_of_are_compared(self):
        now = [judge(self.GOAL, p_1={"spillway": [5, 5, 5]})]
        count, differing = document.disagreements(now, self.earlier())
        self.assertEqual((count, len(differing)), (1, 1))
        self.assertIn("7, NOT MET; now 5, met", differing[0])
        self.assertEqual(document.disagreements(now, self.earlier(result="met")), (1, []))
        self.assertEqual(document.disagreements(now, self.earlier(sure=False)), (0, []))

    def test_another_file_is_refused(self):
        for text in ("", "[1]", "{}"):
            with self.assertRaises(document.NoReport):
                document.verdicts_in(self.file(text))


if __name__ == "__main__":
    unittest.main()
