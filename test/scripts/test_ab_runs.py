# SPDX-License-Identifier: MIT
"""`spillway ab` of a command with preparation, warm-ups, input and metrics; of a server; as Markdown."""

import contextlib
import io
import json
import unittest
from unittest import mock

import support
from spillway_cli import main
from spillway_cli.ab import measure, page, rounds, server, verify

from harness import progress  # known once spillway_cli is


class Runs(support.WithFolder):
    def compare(self, *options, command=None):
        """(status, stdout, stderr, the program's part of report.json or None), in this process."""
        arguments = ["ab", "--out", self.folder / "out", "--runs", "2", *options]
        arguments += ["--", *command] if command else []
        if "--allocators" not in options:
            arguments[1:1] = ["--allocators", "glibc"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.main([str(one) for one in arguments])
        path = self.folder / "out" / "report.json"
        programs = json.loads(path.read_text(encoding="utf-8"))["programs"] if path.exists() else []
        return status, out.getvalue(), err.getvalue(), programs[0] if programs else None

    def told(self, name):
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def test_prepare_comes_before_each_run_and_is_not_measured(self):
        log = self.folder / "log"
        prepare = f"echo p >>{log}; echo $LD_PRELOAD >>{log}; sleep 100000 &"
        run = measure.run

        def timed(*arguments):
            with open(log, "a", encoding="utf-8") as file:
                file.write("begins\n")
            return run(*arguments)

        with mock.patch.object(measure, "run", timed):
            status, said, _, _ = self.compare("--prepare", prepare, command=("sh", "-c", f"echo r >>{log}"))
        self.assertEqual(status, 0, said)
        self.assertEqual(self.told("log"), "p\n\nbegins\nr\n" * 4)  # two before the two rounds

    def test_prepare_that_fails_ends_it(self):
        status, said, _, report = self.compare("--prepare", "echo no disk >&2; exit 4", command=("true",))
        self.assertEqual(status, 1)
        self.assertEqual(report["failure"], "the command of --prepare failed: exit status 4: no disk")
        self.assertIn("FAILED: the command of --prepare failed", said)

    def test_warm_ups(self):
        log = self.folder / "log"
        _, _, _, report = self.compare("--warmup", "3", command=("sh", "-c", f"echo r >>{log}"))
        self.assertEqual(self.told("log"), "r\n" * (2 + 3 + 2))
        self.assertEqual(len(report["results"][0]["samples"]), 2)

    def test_runs_for_what_is_left_count_as_steps(self):
        tells = '[ -z "$LEFT_KIB_FILE" ] || echo 1 >"$LEFT_KIB_FILE"'
        with mock.patch.object(progress.Progress, "add") as added:
            self.compare(command=("sh", "-c", tells))
        added.assert_called_once_with(2)

    def test_input_is_read_from_its_start_each_time(self):
        (self.folder / "in").write_text("a\nb\nc\n", encoding="utf-8")
        _, said, _, report = self.compare(
            "--input", self.folder / "in", "--metric", "lines=([0-9]+):higher", command=("wc", "-l")
        )  # fmt: skip
        self.assertEqual([s["metrics"] for s in report["results"][0]["samples"]], [{"lines": 3.0}] * 2)
        self.assertIn("lines: the last match of ([0-9]+), more is better", " ".join(said.split()))

    def test_metrics_stand_beside_the_rest(self):
        plain = self.library("plain")
        status, said, _, _ = self.compare(
            "--allocators", f"plain={plain}", "--runs", "5", "--metric", "a=a=([0-9]+)", "--metric",
            "b=b=([0-9]+):higher", "--metric", "c=c=([0-9]+)", command=("echo", "a=1 b=2 c=0"),
        )  # fmt: skip
        self.assertEqual(status, 0)
        for line in said.splitlines()[4:]:
            if "/" not in line:
                self.assertLessEqual(len(line), 80)
        self.assertRegex(said, r"\n +a against glibc +b against glibc\n  glibc +1\.00 +2\.00\n  plain +1\.00 ~ ")
        self.assertRegex(said, r"\n +c against glibc\n")
        self.assertRegex(said, r"  b +1\.00 ~\n")  # wins and losses
        page = self.told("out/report.html")
        self.assertIn(">b</h2>", page)
        self.assertRegex(self.told("out/report.md"), r"\| a \| against glibc \| b \| against glibc \| c \|")

    def test_an_allocator_under_which_a_metric_is_missing_has_failed(self):
        quiet = self.library("quiet", "int ends[2]; if (pipe(ends) == 0) dup2(ends[1], 1)")
        status, said, _, report = self.compare(
            "--allocators", f"quiet={quiet}", "--metric", "n=([0-9]+)", command=("seq", "3")
        )  # fmt: skip
        self.assertEqual(status, 1)
        self.assertIn("FAILED: its output has no n", said)
        self.assertEqual(report["results"][1]["failure"], "its output has no n: nothing matches ([0-9]+)")
        self.assertEqual(self.compare("--metric", "n=x([0-9]+)", command=("seq", "3"))[3]["failure"],
                         "fails under glibc: its output has no n: nothing matches x([0-9]+)")  # fmt: skip

    def test_a_server(self):
        plain = self.library("plain")
        serve = "sh -c 'echo up; exec sleep 100000'"
        with mock.patch.object(server, "IDLE", 0.0), mock.patch.object(server, "time", support.Clock()):
            status, said, _, report = self.compare(
                "--allocators", f"plain={plain}", "--server", serve, "--ready", "^up$", "--quick",
                "--metric", "n=n=(.*)", "--load", "sh -c 'echo $$; echo n=$((1${LD_PRELOAD+1}))'",
            )  # fmt: skip
        self.assertEqual(status, 0, said)
        self.assertIn("load s against glibc", said)
        self.assertIn("left MiB    glibc ", said)
        self.assertNotIn("varies", said)
        for result in report["results"]:
            samples = result["samples"]
            self.assertEqual([s["metrics"]["n"] for s in samples], [1.0, 1.0])  # the load: no LD_PRELOAD
            self.assertEqual([s["wall"] for s in samples], [support.Clock.STEP] * 2)
            self.assertEqual(len(result["left_bytes"]), 2)  # in each round, after it
            self.assertEqual(result["notes"], [])  # the server has it
            self.assertTrue(result["memory_over_time"])
        self.assertIn("Server&#x27;s processor time", self.told("out/report.html"))

    def test_a_server_that_calls_another_malloc(self):
        source, static = self.folder / "static.c", self.folder / "static"
        text = '#include <unistd.h>\nint main(void) { write(1, "up\\n", 3); for (;;) pause(); }\n'
        source.write_text(text, encoding="utf-8")
        self.compile(source, static, "-static", "-w")
        status, _, _, report = self.compare("--server", static, "--ready", "up", command=("true",))
        self.assertEqual(status, 1)
        self.assertEqual(
            report["failure"], f"fails under glibc: not the allocator in use in {static} (statically linked)"
        )  # fmt: skip

    def test_a_server_of_which_nothing_is_seen(self):
        """As one of another user's."""
        with mock.patch.object(server, "IDLE", 0.0), mock.patch.object(server, "MAX_LOOK", 0.0), \
             mock.patch.object(verify.Watch, "_look_at"):  # fmt: skip
            serve = "sh -c 'echo up; exec sleep 1000'"
            _, said, _, report = self.compare("--server", serve, "--ready", "up", command=("true",))
        note = "nothing was seen of the server's processes: its allocator is not verified"
        self.assertEqual(report["results"][0]["notes"], [note])
        self.assertIn(note, " ".join(said.split()))

    def test_a_server_that_sometimes_has_to_be_killed(self):
        """And a load that prints another time now and then: neither is a difference."""
        runs = self.folder / "runs"
        serve = f"sh -c 'echo >>{runs}; [ $(wc -l <{runs}) != 4 ] || trap \"\" TERM; echo up; exec sleep 1000'"
        load = ("sh", "-c", f"[ $(wc -l <{runs}) -lt 3 ]; echo took $?")
        with mock.patch.object(server, "IDLE", 0.0), mock.patch.object(measure, "GRACE", 0.1):
            status, said, _, report = self.compare("--server", serve, "--ready", "up", command=load)
        self.assertEqual(status, 0, said)
        self.assertEqual(len(report["results"][0]["samples"]), 2)
        self.assertEqual(report["notes"], ["a server that did not end at SIGTERM was killed"])

    def test_output_that_varies_late_is_not_compared_any_more(self):
        runs = self.folder / "runs"
        command = ("sh", "-c", f"echo >>{runs}; [ $(wc -l <{runs}) -lt 4 ]; echo took $?")
        status, said, _, report = self.compare(command=command)
        self.assertEqual(status, 0, said)
        self.assertEqual(len(report["results"][0]["samples"]), 2)
        self.assertEqual(report["notes"], ["its output varies from run to run and is not compared"])

    def test_figures_are_written_before_they_are_shown(self):
        for reason, status in ((KeyboardInterrupt, 130), (OSError(28, "No space left on device"), 1)):
            with self.subTest(reason), mock.patch.object(page, "content", side_effect=reason):
                found, _, _, report = self.compare(command=("true",))
            self.assertEqual((found, len(report["results"][0]["samples"])), (status, 2))
            (self.folder / "out" / "report.json").unlink()

    def test_an_input_that_is_removed_ends_it_with_the_rounds_so_far(self):
        runs, given = self.folder / "runs", self.folder / "in"
        given.touch()
        command = ("sh", "-c", f"echo >>{runs}; [ $(wc -l <{runs}) -lt 3 ] || rm {given}")
        status, said, _, report = self.compare("--input", given, command=command)
        self.assertEqual((status, len(report["results"][0]["samples"])), (1, 1))
        self.assertIn(f"interrupted in sh after 1 of 2 rounds: {given}: No such file or directory\n", said)
        data = json.loads(self.told("out/report.json"))
        self.assertEqual(data["settings"]["warnings"][0], f"ended early: {given}: No such file or directory")

    def test_an_interrupt_before_the_first_run(self):
        with mock.patch.object(rounds, "Rounds", side_effect=KeyboardInterrupt):
            status, said, _, _ = self.compare(command=("true",))
        self.assertEqual(status, 130)
        self.assertIn("interrupted\n", said)

    def test_a_server_that_fails(self):
        status, _, _, report = self.compare("--server", "sh -c 'exit 3'", "--ready", "up", command=("true",))
        self.assertEqual(status, 1)
        reason = "the server ended before it was ready: exit status 3"
        self.assertEqual(report["failure"], f"fails under glibc: {reason}")

    def test_markdown_is_all_that_is_printed(self):
        status, out, err, _ = self.compare("--markdown", command=("true",))
        self.assertEqual(status, 0)
        self.assertEqual(out, self.told("out/report.md"))
        self.assertTrue(out.startswith("## glibc\n"))
        self.assertIn("machine: ", err)


class WithoutNumpy(unittest.TestCase):
    def test_it_is_told_before_anything_runs(self):
        for arguments in (("ab", "--allocators", "glibc", "--", "true"), ("replay", "--build-dir", "/")):
            with mock.patch.dict("sys.modules", numpy=None):
                status, said = support.said(*arguments)
            self.assertEqual((status, said), (1, "spillway: intervals take Debian's package python3-numpy\n"))


class Mistakes(unittest.TestCase):
    def test_each_is_a_line_and_status_2(self):
        for arguments, words in (
            (("--prepare", "x"), "--prepare is for a command of yours"),
            (("--metric", "a=(x)"), "--metric is for a command"),
            (("--metric", "a=x", "--", "true"), "has no group"),
            (("--metric", "a=(x)", "--metric", "a=(y)", "--", "true"), "--metric a is given twice"),
            (("--input", "/", "--", "true"), "/ is not a file"),
            (("--input", "/no/such", "--", "true"), "/no/such is not a file"),
            (("--warmup", "-1", "--", "true"), "is not a number of 0 or more"),
            (("--warmup=x", "--", "true"), "is not a number of 0 or more"),
            (("--ready", "80"), "--ready is for --server"),
            (("--ready", "80", "--", "true"), "--ready is for --server"),
            (("--load", "true"), "--load is for --server"),
            (("--server", "sleep 1", "--", "true"), "takes --ready"),
            (("--server", "sleep 1", "--ready", "80"), "takes a load"),
            (("--server", "sleep 1", "--ready", "80", "--load", "a", "--", "true"), "not both"),
            (("--server", "sleep '1", "--ready", "80", "--", "true"), "No closing quotation"),
            (("--server", "", "--ready", "80", "--", "true"), "--server is empty"),
            (("--server", "x", "--ready", "65536", "--", "true"), "not a port"),
            (("--server", "x", "--ready", "(", "--", "true"), "not a regular expression"),
        ):  # fmt: skip
            status, said = support.said("ab", *arguments)
            self.assertEqual((status, said.count("\n")), (2, 1), said)
            self.assertIn(words, said)
        status, said = support.said("ab", "--server", "no-such-server", "--ready", "80", "--", "true")
        self.assertEqual((status, said), (127, "spillway: no-such-server: command not found\n"))


if __name__ == "__main__":
    unittest.main()
