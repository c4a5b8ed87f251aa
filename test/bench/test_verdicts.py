# SPDX-License-Identifier: MIT
"""Goals held against figures: what is met, where, and what is sure."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from runner import goals, verdicts  # noqa: E402
from runner.goals import Goal  # noqa: E402


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

    FASTEST = Goal("w", "fastest", 1, ("p/1", "p/2"))
    PEERS = {"glibc": [9] * 3, "mimalloc": [8] * 3, "jemalloc": [7] * 3, "tcmalloc": [2] * 3}

    def test_fastest_is_of_the_peers_only(self):
        columns = {"spillway": [3] * 3, **self.PEERS,
                   **{name: [1] * 3 for name in (goals.BARE_MIMALLOC, goals.LINKED, "before")}}
        verdict = judge(self.FASTEST, p_1=columns, p_2={**columns, "spillway": [1] * 3})
        self.assertEqual((verdict.measured, verdict.at, verdict.result, verdict.sure),
                         (1.5, "1, tcmalloc", verdicts.MISSED, True))
        named = {**columns, "rpmalloc": [1] * 3}
        self.assertEqual(judge(self.FASTEST, p_1=named, p_2=columns).at, "1, rpmalloc")

    def test_fastest_takes_every_peer(self):
        columns = {"spillway": [1], **self.PEERS}
        without = {name: figures for name, figures in columns.items() if name != "tcmalloc"}
        verdict = judge(self.FASTEST, p_1=without, p_2=without)
        self.assertEqual((verdict.measured, verdict.at, verdict.result),
                         (None, "no tcmalloc", verdicts.OPEN))
        failed = judge(self.FASTEST, p_1=columns, p_2=without)
        self.assertEqual((failed.measured, failed.at), (None, "tcmalloc has no p/2"))

    def test_a_disturbed_peer_is_marked(self):
        rows = {row: {"spillway": [1] * 4, **{name: [9] * 4 for name in self.PEERS}}
                for row in self.FASTEST.rows}
        self.assertTrue(verdicts.judge(self.FASTEST, verdicts.Figures(rows)).sure)
        for row in self.FASTEST.rows:
            disturbed = verdicts.Figures(rows, {(row, "jemalloc")})
            self.assertFalse(verdicts.judge(self.FASTEST, disturbed).sure)

    def test_one_figure_of_all_rounds_is_never_sure(self):
        goal = Goal("w", "absolute", 1.3, ("fill/spread",))
        verdict = judge(goal, fill_spread={"spillway": [1.01]})
        self.assertEqual((verdict.result, verdict.sure), (verdicts.MET, False))

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
        verdict = judge(Goal("w", "fastest", 1, ("p/1",)), p_1={"spillway": [1], **self.PEERS})
        self.assertEqual(verdict.at, "tcmalloc")

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

    def test_a_time_within_the_noise_of_its_limit_is_marked(self):
        rows = {"p/1": {"spillway": [9.7] * 5, "x": [10] * 5}}
        for kind, limit in (("at_most", 1), ("times", 1), ("absolute", 10)):
            goal = Goal("w", kind, limit, ("p/1",), "" if kind == "absolute" else "x")
            for times, noise, sure in ((("p/1",), 0.05, False), (("p/1",), 0.02, True), ((), 0.05, True)):
                verdict = verdicts.judge(goal, verdicts.Figures(rows, times=frozenset(times)), noise)
                self.assertEqual((verdict.result, verdict.sure), (verdicts.MET, sure), (kind, times, noise))

    def test_of_a_difference_the_noise_is_a_share_of_the_larger_figure(self):
        figures = verdicts.Figures({"p/1": {"spillway": [1900] * 5, "x": [1000] * 5}}, times=frozenset(["p/1"]))
        goal = Goal("w", "adds", 1000, ("p/1",), "x", "us")
        self.assertEqual([verdicts.judge(goal, figures, noise).sure for noise in (0.05, 0.06)], [True, False])
        rows = {"p/1": {"spillway": [4] * 5}, "p/2": {"spillway": [6] * 5}, "p/3": {"spillway": [9.8] * 5}}
        figures = verdicts.Figures(rows, times=frozenset(rows))
        goal = Goal("w", "extra", 1, tuple(rows))
        self.assertEqual([verdicts.judge(goal, figures, noise).sure for noise in (0.01, 0.06)], [True, False])

    def test_a_quiet_machine_may_meet_a_goal_exactly(self):
        figures = verdicts.Figures({"p/1": {"spillway": [5] * 5}}, times=frozenset(["p/1"]))
        self.assertTrue(verdicts.judge(Goal("w", "absolute", 5, ("p/1",)), figures).sure)

    def test_what_is_missing_is_named(self):
        goal = Goal("w", "at_most", 1, ("p/1",), "mimalloc")
        self.assertEqual(judge(goal, p_1={"mimalloc": [1]}).at, "no spillway")
        self.assertEqual(judge(goal, p_1={"spillway": [1]}).at, "no mimalloc")
        other = judge(goal, p_1={"spillway": [1]}, p_2={"mimalloc": [1]})
        self.assertEqual((other.measured, other.at), (None, "mimalloc has no p/1"))


if __name__ == "__main__":
    unittest.main()
