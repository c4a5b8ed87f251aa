# SPDX-License-Identifier: MIT
"""Whether two runs agree: what is read of an earlier report.json, and what is compared."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from runner import document, main, verdicts  # noqa: E402
from runner.goals import Goal  # noqa: E402

GOAL = Goal("w", "absolute", 6, ("p/1",), unit="MiB")
EARLIER = {"work": "w", "kind": "absolute", "limit": 6, "rows": ["p/1"], "other": "",
           "measured": 7.0, "result": "NOT MET", "sure": True}


class Agreement(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "report.json"
        self.now = [verdicts.judge(GOAL, verdicts.Figures({"p/1": {"spillway": [5, 5, 5]}}))]

    def read(self, text, length="full"):
        self.path.write_text(text, encoding="utf-8")
        return document.verdicts_in(self.path, length)

    def earlier(self, **changes):
        report = {"format": document.FORMAT, "length": "full", "goals": [{**EARLIER, **changes}]}
        return self.read(json.dumps(report))

    def compared(self, **changes):
        return document.disagreements(self.now, self.earlier(**changes))

    def test_only_verdicts_that_both_are_sure_of_are_compared(self):
        count, differing = self.compared()
        self.assertEqual((count, len(differing)), (1, 1))
        self.assertIn("7, NOT MET; now 5, met", differing[0])
        self.assertEqual(self.compared(result="met"), (1, []))
        self.assertEqual(self.compared(sure=False), (0, []))
        self.assertEqual(self.compared(measured=None), (0, []))

    def test_a_goal_that_has_changed_is_another(self):
        self.assertEqual(self.compared(limit=7), (0, []))
        self.assertEqual(self.compared(rows=["p/1", "p/2"]), (0, []))

    def test_nothing_compared_is_no_agreement(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertTrue(main.agreement(self.now, self.earlier(result="met")))
            self.assertFalse(main.agreement(self.now, self.earlier()))
            self.assertFalse(main.agreement(self.now, self.earlier(sure=False)))
        self.assertIn("0 of 0 verdicts", said.getvalue())

    def test_another_file_is_refused(self):
        whole = {"format": document.FORMAT, "length": "full", "goals": [EARLIER]}
        cases = ["", "[1]", "{}", "null"]
        cases += [json.dumps({**whole, **change}) for change in (
            {"format": document.FORMAT - 1}, {"length": "quick"}, {"goals": []}, {"goals": 3},
            {"goals": ["w"]}, {"goals": [{**EARLIER, "measured": "7"}]},
            {"goals": [{**EARLIER, "work": []}]})]
        cases += [json.dumps({**whole, "goals": [{k: v for k, v in EARLIER.items() if k != key}]})
                  for key in EARLIER]
        for text in cases:
            with self.assertRaises(document.NoReport, msg=text):
                self.read(text)
        with self.assertRaisesRegex(document.NoReport, "No such file"):
            document.verdicts_in(self.path.with_name("other.json"), "full")

    def test_what_a_run_writes_can_be_read(self):
        class Campaign:
            context = units = disturbed = failures = rows = done = series = environment = {}
            allocators, interrupted = (), False

            class noise:
                spread = staticmethod(lambda: None)

        document.write(self.path, document.content(Campaign, "smoke", self.now))
        earlier = document.verdicts_in(self.path, "smoke")
        self.assertEqual(document.disagreements(self.now, earlier), (1, []))


if __name__ == "__main__":
    unittest.main()
