#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""documents.py INFO: what names statistics names those of the table. INFO is spillway_info.

The schema is the table's; the documentation has each of them, with its kind and meaning; dashboard, alert rules and
their tests use no other.
"""
import json
import pathlib
import re
import subprocess
import sys
import unittest

INFO = sys.argv[1]
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
MONITORING = TOP / "scripts" / "monitoring"


def info(what):
    return subprocess.run([INFO, what], capture_output=True, text=True, check=True, timeout=60).stdout


# By metric: name in the other forms, whose, kind, help.
TABLE = {row[0]: row[1:] for row in (line.split("\t") for line in info("statistics").splitlines())}


class Documents(unittest.TestCase):
    def unknown_in(self, text):
        return sorted(set(re.findall(r"\bspillway_[a-z_]*[a-z]\b", text)) - set(TABLE))

    def test_the_schema_is_the_tables(self):
        self.assertEqual((TOP / "alloc/stats/statistics.schema.json").read_text(), info("schema"),
                         "run: build/release/spillway_info schema >alloc/stats/statistics.schema.json")

    def test_the_schema_is_one(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        jsonschema.Draft7Validator.check_schema(json.loads(info("schema")))

    def test_the_documentation_has_each_and_no_other(self):
        text = (TOP / "alloc/docs/STATISTICS.md").read_text()
        rows = dict(re.findall(r"^\| `([a-z_]+)` \| ((?:counter|gauge) .*) \|$", text, re.MULTILINE))
        expected = {}
        for metric, (name, whose, kind, meaning) in TABLE.items():
            shown = {"identity": metric, "class": f"class_{name}", "tenant": f"tenant_{name}"}.get(whose, name)
            expected[shown] = f"{kind} | {meaning}"
        self.assertEqual(rows, expected)
        self.assertEqual(self.unknown_in(text), ["spillway_write_statistics"])  # a function

    def test_the_dashboard(self):
        text = (MONITORING / "grafana.json").read_text()
        dashboard = json.loads(text)
        self.assertEqual(self.unknown_in(text), [])
        numbers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                for metric in re.findall(r"\bspillway_[a-z_]+", target["expr"]):
                    counter = TABLE[metric][2] == "counter"
                    called = re.search(rf"\b(rate|increase)\({metric}\b", target["expr"])
                    self.assertEqual(bool(called), counter, f"{panel['title']}: {metric}")

    def test_the_alert_rules(self):
        text = (MONITORING / "alerts.yaml").read_text()
        self.assertEqual(self.unknown_in(text), [])
        tests = (MONITORING / "alerts_test.yaml").read_text()
        self.assertEqual(self.unknown_in(tests), [])
        for alert in re.findall(r"alert: (\w+)", text):
            self.assertIn(alert, tests, "no test")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
