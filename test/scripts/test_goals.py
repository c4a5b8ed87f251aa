# SPDX-License-Identifier: MIT
"""`spillway goals`: a report held against the goals of programs."""

import json
import unittest

import support
from spillway_cli import goals

GOOD = {"cpu": 1.0, "peak": 100.0, "faults": 1000.0}
NAMES = ("glibc", "mimalloc", "jemalloc", "tcmalloc", "spillway")


def figures(**changed):
    """allocator -> figures: GOOD, and of the named allocators something else."""
    return {name: {**GOOD, **changed.get(name, {})} for name in NAMES}


def judge(**programs):
    lines, missed = goals.judge(programs, "spillway")
    return "\n".join(lines), missed


class Judge(unittest.TestCase):
    def test_all_are_met(self):
        best = {"cpu": 0.9, "peak": 90.0, "faults": 1000.0}
        text, missed = judge(one=figures(spillway=best), two=figures(spillway=best))
        self.assertFalse(missed, text)
        self.assertNotIn("0.90!", text)
        self.assertIn("CPU:        2 of 2 within 1.02, wanted 2\n", text)
        self.assertIn("geometric mean 0.900 x glibc, 0.900 x mimalloc", text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80 if "mean" not in line else 100)

    def test_what_noise_hides_is_neither_met_nor_missed(self):
        own = {"cpu": 1.06, "peak": 90.0, "faults": 900.0}
        one = figures(spillway=own)
        self.assertTrue(judge(one=one)[1])
        lines, missed = goals.judge({"one": one}, "spillway", 0.07)
        text = "\n".join(lines)
        self.assertFalse(missed, text)
        self.assertIn("1.06~gl", text)
        self.assertIn("~ above the goal, by no more than", text)
        self.assertIn("CPU:        0 of 1 within 1.02, wanted 1, 1 hidden by noise\n", text)
        more = figures(spillway={**own, "peak": 106.0})  # memory does not depend on the clock
        self.assertTrue(goals.judge({"one": more}, "spillway", 0.07)[1])

    def test_a_ratio_is_to_the_best_of_those_that_count(self):
        own = {"cpu": 0.5, "peak": 90.0}
        text, missed = judge(one=figures(glibc={"cpu": 0.4, "peak": 10.0}, tcmalloc={"peak": 80.0}, spillway=own))
        line = next(line for line in text.splitlines() if line.startswith("one"))
        self.assertEqual(line.split(), ["one", "1.25!gl", "1.12!tc", "1.00", "mi"])
        self.assertTrue(missed)

    def test_a_mean_must_be_below_each(self):
        within = {"cpu": 1.01, "peak": 90.0}
        text, missed = judge(one=figures(spillway=within))
        self.assertIn("CPU:        1 of 1 within 1.02, wanted 1\n", text)
        self.assertIn("geometric mean 1.010 x glibc", text)
        self.assertTrue(missed)

    def test_faults_may_be_more_in_two_of_seven(self):
        fast = {"cpu": 0.9, "peak": 90.0}
        for bad, missed in ((2, False), (3, True)):
            programs = {f"p{i}": figures(spillway={**fast, "faults": 1200.0 if i < bad else 900.0}) for i in range(7)}
            self.assertEqual(judge(**programs)[1], missed, bad)

    def test_what_is_left_is_of_servers_only(self):
        fast = {"cpu": 0.9, "peak": 90.0}
        server = {name: {**values, "left": 10.0} for name, values in figures(spillway=fast).items()}
        server["spillway"]["left"] = 11.0
        text, missed = judge(server=server, tool=figures(spillway=fast))
        self.assertIn("left:       0 of 1 within 1, wanted 1 !", text)
        self.assertTrue(missed)

    def test_beside_itself_switched_off(self):
        own = {"cpu": 0.9, "peak": 90.0}
        one = figures(spillway=own)
        self.assertNotIn("off", judge(one=one)[0])
        one["spillway-off"] = {**GOOD, "cpu": 0.88}
        text, missed = judge(one=one)
        self.assertIn("CPU/off:    0 of 1 within 1.02, wanted 1 !", text)
        self.assertIn("peak/off:   1 of 1", text)
        self.assertTrue(missed)

    def test_a_peer_that_failed_is_left_out(self):
        one = figures(spillway={"cpu": 0.9, "peak": 90.0})
        del one["jemalloc"]
        self.assertFalse(judge(one=one)[1])
        text, missed = judge(one=one, two={})
        self.assertIn("CPU:        1 of 1 within 1.02, wanted 1\n", text)
        self.assertIn("\ntwo       -         -         -\n", text)
        self.assertFalse(missed)

    def test_a_program_that_fails_under_the_subject_misses_its_goals(self):
        good = {"cpu": 0.9, "peak": 90.0, "faults": 900.0}
        programs = {f"p{i}": figures(spillway=good) for i in range(6)}
        self.assertFalse(judge(**programs)[1])
        none = figures()
        del none["spillway"]
        text, missed = judge(**programs, none=none)
        self.assertTrue(missed)
        self.assertIn("\nnone      failed!   failed!   failed!\n", text)
        self.assertIn("failed! no figure of spillway", text)
        self.assertIn("CPU:        6 of 7 within 1.02, wanted 7 !", text)
        self.assertIn("faults:     6 of 7 within 1, wanted 5 !", text)
        self.assertIn("geometric mean 0.900 x glibc", text)  # of the programs that ran


class Command(support.WithFolder):
    def report(self, **allocators):
        path = self.folder / "report.json"
        results = [
            {"allocator": name, "failure": None, "left_bytes": [], "samples": [
                {"cpu": cpu, "peak_rss": 100, "minor_faults": 7} for cpu in cpus]}
            for name, cpus in allocators.items()
        ]  # fmt: skip
        programs = [{"name": "one", "failure": None, "results": results}]
        path.write_text(json.dumps({"programs": programs}), encoding="utf-8")
        return path

    def test_medians_of_a_report(self):
        path = self.report(glibc=[1, 9, 2], mimalloc=[4, 4, 4], mine=[1, 1, 9])
        self.assertEqual(goals.read(path)[0]["one"]["glibc"], {"cpu": 2, "peak": 100, "faults": 7})
        done = support.spillway("goals", path, "--subject", "mine")
        self.assertIn("0.50 gl", done.stdout)
        self.assertEqual(done.returncode, 1)  # as much memory as mimalloc is not less

    def test_what_the_report_warns_of_is_told(self):
        path = self.report(glibc=[1], spillway=[1])
        self.assertEqual(support.spillway("goals", path).stderr, "")
        text = json.loads(path.read_text(encoding="utf-8"))
        text["settings"] = {"warnings": ["The machine was noisy."]}
        path.write_text(json.dumps(text), encoding="utf-8")
        self.assertEqual(support.spillway("goals", path).stderr, "spillway: The machine was noisy.\n")

    def test_mistakes(self):
        for path, words in (
            (self.folder / "none.json", "No such file"),
            (self.report(glibc=[1]), "has no figures of spillway"),
        ):
            done = support.spillway("goals", path)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.returncode, 2)
        bad = self.folder / "bad.json"
        for content in ("[]", '{"programs": [{}]}', '{"programs": [], "settings": 3}'):
            bad.write_text(content, encoding="utf-8")
            status, said = support.said("goals", bad)
            self.assertEqual((status, said), (2, f"spillway: goals: {bad} is no report of `spillway ab`\n"))


if __name__ == "__main__":
    unittest.main()
