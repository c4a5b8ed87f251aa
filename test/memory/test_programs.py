# SPDX-License-Identifier: MIT
"""The benchmarks as programs: what a wrong command line does, and what bench_memory writes. The
environment's BENCH_DIR says where they are."""

import json
import os
import pathlib
import subprocess
import unittest

PROGRAMS = pathlib.Path(os.environ["BENCH_DIR"])
OWN = {"bench_memory": "repetitions", "bench_threads": "milliseconds", "bench_startup": "runs"}


def run(program, *arguments):
    return subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True,
                          timeout=300, check=False)


class CommandLines(unittest.TestCase):
    def refused(self, program, *arguments):
        """The one line on stderr, without the program's name."""
        done = run(program, *arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), (program, arguments))
        self.assertRegex(done.stderr, rf"\A{program}: [^\n]+\n\Z")
        return done.stderr

    def test_help_names_every_option(self):
        for program, own in OWN.items():
            done = run(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for option in ("json FILE", "smoke", "help", f"{own} N"):
                self.assertIn(f"--{option}", done.stdout)

    def test_what_is_wrong_is_one_line(self):
        for program, own in OWN.items():
            self.assertIn("nonsense", self.refused(program, "--nonsense"))
            self.assertIn("json", self.refused(program, "--json"))
            self.assertIn("operand", self.refused(program, "operand"))
            self.assertIn("/nowhere/file", self.refused(program, "--json", "/nowhere/file"))
            for number in ("0", "-1", "many", "3x", "", "99999999999"):
                line = self.refused(program, f"--{own}={number}")
                self.assertIn(f"--{own}", line)
                self.assertIn(f"'{number}'", line)

    def test_no_case(self):
        for program in ("bench_memory", "bench_threads"):
            line = self.refused(program, "--filter", "no such", "--list")
            self.assertIn("no case's name contains 'no such'", line)

    def test_library_without_name(self):
        for library in ("file.so", "=file.so", "name="):
            self.assertIn(f"'{library}'", self.refused("bench_startup", "--library", library))

    def test_results_that_cannot_be_written(self):
        done = run("bench_memory", "--smoke", "--filter", "leak", "--json", "/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/dev/full", done.stderr)

    def test_list_and_filter(self):
        names = run("bench_memory", "--list").stdout.split()
        self.assertIn("live", names)
        self.assertEqual(run("bench_memory", "--list", "--filter", "realloc").stdout.split(),
                         ["realloc/1MiB", "realloc/32MiB"])
        quick = run("bench_memory", "--list", "--quick").stdout.split()
        self.assertLess(set(quick), set(names))
        self.assertLessEqual({"live", "threads16", "server", "realloc/1MiB", "realloc/32MiB",
                              "walk/256KiB", "churn/64K-1M"}, set(quick))

    def test_inside_is_not_for_people(self):
        self.assertIn("--inside", self.refused("bench_memory", "--inside", "live", "long", "1"))


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.results, cls.rows = cls.measure()

    @staticmethod
    def measure(*options):
        """The results and their rows, by name."""
        done = run("bench_memory", "--smoke", "--json", "-", *options)
        assert done.returncode == 0, done.stderr
        results = json.loads(done.stdout)["results"]
        return ({one["name"]: one for one in results},
                {row["name"]: row for one in results for row in one["rows"]})

    def holds_when_sampled_in_time(self, workload, holds):
        """`holds(results, rows)`, or in another run: on a busy machine samples come late."""
        results, rows = self.results, self.rows
        for _ in range(20):
            if holds(results, rows):
                return
            results, rows = self.measure("--filter", workload)
        self.fail(f"{workload}: {rows}")

    def test_results_come_in_the_order_of_the_list(self):
        self.assertEqual(list(self.results), run("bench_memory", "--list").stdout.split())

    def test_every_row_has_its_samples(self):
        for name, row in self.rows.items():
            self.assertIn(row["value"], row["samples"], name)
            self.assertAlmostEqual(row["spread"]["min"], min(row["samples"]),
                                   delta=0.001 + 1e-5 * abs(min(row["samples"])), msg=name)
        self.assertEqual(len(self.rows["churn/64K-1M"]["samples"]), 4)
        self.assertEqual(len(self.rows["realloc/32MiB"]["samples"]), 6)

    def test_memory_is_at_least_what_is_live(self):
        """Where the workload stays long enough for a sample."""
        for row in ("burst/peak_ratio", "shift/peak_ratio", "shift/end_ratio", "leak/end_ratio"):
            self.holds_when_sampled_in_time(
                row.partition("/")[0], lambda _, rows, row=row: rows[row]["value"] > 0.95)

    def test_memory_that_a_workload_reads_itself(self):
        """At least what it wrote and has not freed; a few dozen pages may go uncounted."""
        for size in (4097, 65569, 524321):
            self.assertGreater(self.rows[f"one_size/{size}"]["value"], 0.9)
        self.assertGreater(self.rows["drift/worst_ratio"]["value"], 0.95)
        for blocks in ("256KiB", "1MiB", "aligned"):
            self.assertGreater(self.rows[f"sparse/{blocks}_mib"]["value"], 50 * 8 / 1024)
        live = 40 * 16 / 1024
        self.assertGreater(self.rows["pin/mib"]["value"], live)
        self.assertGreater(self.rows["pin/5_rounds_mib"]["value"], 5 * live)
        self.assertAlmostEqual(
            self.rows["pin/growth_mib"]["value"],
            self.rows["pin/5_rounds_mib"]["value"] - self.rows["pin/mib"]["value"] - 4 * live, delta=0.01)

    def test_what_is_live_can_be_drawn_beside_memory(self):
        for name in ("live", "burst", "sawtooth", "leak", "shift", "server"):
            live = self.results[name]["ms_and_live_kib"]
            resident = self.results[name]["ms_and_rss_kib"]
            self.assertEqual(len(live), len(resident))
            self.assertEqual(live[0], sorted(live[0], key=lambda point: point[0]))
            self.assertGreater(max(kib for _, kib in live[0]), 0, name)
            self.holds_when_sampled_in_time(name, lambda results, _, name=name: (
                results[name]["ms_and_live_kib"][0][-1][0]
                < results[name]["ms_and_rss_kib"][0][-1][0] + 50))
        self.assertNotIn("ms_and_live_kib", self.results["realloc/1MiB"])


if __name__ == "__main__":
    unittest.main()
