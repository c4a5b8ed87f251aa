# SPDX-License-Identifier: MIT
"""`spillway ab --compare`: two reports of made-up runs."""

import json
import unittest

import support
from spillway_cli.ab import changes, report
from spillway_cli.ab.measure import Sample
from spillway_cli.ab.metric import Metric
from spillway_cli.ab.programs import of_command, of_server
from spillway_cli.ab.rounds import Comparison, Result
from spillway_cli.ab.server import Server
from spillway_cli.allocators import Allocator

MACHINE = {"cpu": "x", "cores": 2, "memory_bytes": 1 << 33, "kernel": "6", "system": "Debian"}
JITTER = (0.99, 1.0, 1.01, 1.0, 0.995, 1.005, 1.0)
METRICS = (Metric("req/s", "(x)", True),)


def samples(wall, peak=100 << 20, rate=1000.0, rounds=7):
    return [Sample(wall * j, wall * j, peak, 1000, 0, metrics={"req/s": rate * j}) for j in JITTER[:rounds]]


class Compare(support.WithFolder):
    def saved(self, name, program=None, machine=MACHINE, noise=0.01, work=0.004, version="1", **results):
        """A report's folder; results: allocator -> samples, or why it failed."""
        program = program or of_command(["/bin/prog"], metrics=METRICS)
        made = Comparison(program, {one: Result(one) for one in results})
        for one, found in results.items():
            if isinstance(found, str):
                made.results[one].failure = found
            else:
                made.results[one].samples = found
        folder = self.folder / name
        folder.mkdir()
        settings = {"rounds": 7, "noise": noise, "noise_work_seconds": work, "warnings": []}
        listed = [Allocator(one, f"/{one}.so", version if one != "glibc" else "2") for one in results]
        content = report.content([made], listed, [], machine, settings, "2026-01-02T03:04:05+00:00")
        report.write(folder / "report.json", content)
        return folder

    def show(self, then, now, as_markdown=False):
        self.shown = getattr(self, "shown", 0) + 1
        old, new = (self.saved(f"{name}{self.shown}", **of) for name, of in (("then", then), ("now", now)))
        text = changes.show(old, new, as_markdown)
        if not as_markdown:
            self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
        return text

    def test_what_changed_beyond_noise(self):
        text = self.show({"glibc": samples(1.0), "ours": samples(0.8)},
                         {"glibc": samples(1.0), "ours": samples(1.0, 120 << 20, 700.0)})  # fmt: skip
        self.assertRegex(text, r"ours: wall time / glibc's +0.800 +1.00 +1.25 +\[.*worse")
        self.assertRegex(text, r"ours: peak memory, MiB +100 +120 +1.20 +\[.*worse")
        self.assertRegex(text, r"ours: req/s / glibc's +1.00 +0.700 +0.700 +\[.*worse")
        self.assertNotIn("page faults", text)
        self.assertIn("0 rows better, 4 worse beyond noise, 6 neither (~), of 10", " ".join(text.split()))

    def test_a_slower_machine_changes_the_baseline_alone(self):
        text = self.show({"glibc": samples(1.0), "ours": samples(0.8)}, {"glibc": samples(1.5), "ours": samples(1.2)})
        self.assertRegex(text, r"prog, glibc: wall time, s +1.00 +1.50 +1.50")
        self.assertNotIn("ours: wall", text)

    def test_a_slower_machine_that_says_so_changes_nothing(self):
        text = self.show({"glibc": samples(1.0)}, {"glibc": samples(1.5), "work": 0.0062})
        self.assertIn("No difference beyond noise.", text)
        self.assertIn("The same piece of work took 55 % more now", " ".join(text.split()))
        text = self.show({"glibc": samples(1.0), "work": None}, {"glibc": samples(1.5)})
        self.assertIn("glibc: wall time", text)

    def test_noise_hides_times_and_metrics(self):
        text = self.show({"noise": 0.3, "glibc": samples(1.0), "ours": samples(0.8)},
                         {"glibc": samples(1.0), "ours": samples(1.0, 120 << 20, 800.0)})  # fmt: skip
        self.assertNotIn("wall time", text)
        self.assertNotIn("req/s", text)
        self.assertIn("peak memory", text)
        self.assertIn("below 30 % can't be told", text)

    def test_nothing_changed(self):
        same = {"glibc": samples(1.0), "ours": samples(0.8)}
        self.assertIn("No difference beyond noise.", self.show(same, same))

    def test_less_than_a_hundredth_is_no_difference_between_runs(self):
        text = self.show({"glibc": samples(1.0, 1000 << 20)}, {"glibc": samples(1.0, 1009 << 20)})
        self.assertIn("No difference beyond noise.", text)

    def test_few_rounds_tell_nothing(self):
        text = self.show({"glibc": samples(1.0, rounds=3)}, {"glibc": samples(9.0, rounds=3)})
        self.assertIn("No difference beyond noise.", text)
        self.assertIn("nothing can be told (?)", text)

    def test_what_cannot_be_compared_is_told(self):
        other = {**MACHINE, "cpu": "y"}
        text = " ".join(self.show(
            {"glibc": samples(1.0), "ours": "died", "gone": samples(1.0)},
            {"glibc": samples(1.0), "ours": samples(1.0), "fresh": samples(1.0), "machine": other, "version": "9"},
        ).split())  # fmt: skip
        for words in (
            "prog: ours: failed then, not now: died", "ours: 1 then, 9 now", "fresh: only in the second report",
            "gone: only in the first report", "The machines differ",
        ):  # fmt: skip
            self.assertIn(words, text)

    def test_a_server_is_no_command(self):
        served = of_server(Server(("prog",), 80), ["load"])
        text = self.show({"glibc": samples(1.0)}, {"program": served, "glibc": samples(1.0)})
        self.assertIn("another command then: /bin/prog", text)
        self.assertIn("No difference beyond noise.", text)

    def test_markdown(self):
        text = self.show({"glibc": samples(1.0)}, {"glibc": samples(2.0)}, as_markdown=True)
        self.assertIn("| prog, glibc: wall time, s | 1.00 | 2.00 | 2.00 ", text)
        self.assertIn("## What changed beyond noise", text)

    def test_the_command_line(self):
        folder = self.saved("one", glibc=samples(1.0))
        done = support.spillway("ab", "--compare", folder, folder / "report.html")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("No difference beyond noise.", done.stdout)

    def test_mistakes(self):
        folder = self.saved("one", glibc=samples(1.0))
        other = self.folder / "other.json"
        whole = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        one = {"samples": [], **{name: whole["programs"][0]["results"][0][name] for name in ("allocator", "failure")}}

        def without(name):
            return {key: value for key, value in whole.items() if key != name}

        for content, words in (
            ({}, "is no report"), ("x", "is no report"), ({"programs": [], "format": 9}, "of another version"),
            ({"programs": [{}], "format": 1}, "is no report"), ({"programs": [], "format": 1}, "is no report"),
            *((without(name), "is no report") for name in ("settings", "machine", "made", "allocators")),
            ({**whole, "settings": {}}, "is no report"), ({**whole, "settings": {"rounds": "x"}}, "is no report"),
            ({**whole, "machine": {"cpu": "x"}}, "is no report"), ({**whole, "allocators": [{}]}, "is no report"),
            ({**whole, "programs": [{**whole["programs"][0], "results": [one]}]}, "is no report"),
            ({**whole, "programs": [{**whole["programs"][0], "metrics": []}]}, None),
        ):  # fmt: skip
            other.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            if words is None:
                self.assertEqual(support.said("ab", "--compare", folder, other)[0], 0)
                continue
            status, said = support.said("ab", "--compare", folder, other)
            self.assertEqual((status, said.count("\n")), (2, 1), said)
            self.assertIn(words, said)
        for arguments, words in (
            ((folder, "/no/such"), "No such file"), ((folder,), "expected 2 arguments"),
            ((folder, folder, "--runs", "3", "--prepare", "x"), "leave out --runs, --prepare"),
            ((folder, folder, "--warmup", "0", "--out", "x"), "leave out --warmup, --out"),
            ((folder, folder, "--", "ls"), "leave out the command"),
        ):  # fmt: skip
            status, said = support.said("ab", "--compare", *arguments)
            self.assertEqual((status, said.count("\n")), (2, 1), said)
            self.assertIn(words, said)

    def test_a_report_says_which_program_it_was(self):
        program = of_server(Server(("prog", "-x"), "up", 2), ["load"], prepare="true", metrics=METRICS)
        data = json.loads((self.saved("one", program=program, glibc=samples(1.0)) / "report.json").read_text("utf-8"))
        one = data["programs"][0]
        self.assertEqual(one["server"], {"command": ["prog", "-x"], "ready": "up", "warm_ups": 2})
        self.assertEqual((one["prepare"], one["input"], one["metrics"][0]["name"]), ("true", None, "req/s"))


if __name__ == "__main__":
    unittest.main()
