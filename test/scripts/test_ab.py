# SPDX-License-Identifier: MIT
"""`spillway ab` as a whole, on commands of milliseconds with stand-in libraries."""

import contextlib
import fcntl
import io
import itertools
import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest
from unittest import mock

import support
from spillway_cli import allocators, main
from spillway_cli.ab import verify
from spillway_cli.errors import UserError

from harness import allocators as harness  # known once spillway_cli is
from harness import progress


class Compare(support.WithFolder):
    def compare(self, *options, command=("seq", "3")):
        done = support.spillway("ab", "--out", self.folder / "out", *options, "--", *command)
        path = self.folder / "out" / "report.json"
        report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return done, report

    def result(self, report, name):
        return next(r for r in report["programs"][0]["results"] if r["allocator"] == name)

    def test_every_round_is_in_the_report(self):
        done, report = self.compare("--allocators", f"plain={self.library('plain')}", "--runs", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([a["name"] for a in report["allocators"]], ["glibc", "plain"])
        for name in ("glibc", "plain"):
            self.assertEqual(len(self.result(report, name)["samples"]), 5)
        self.assertEqual(set(self.result(report, "plain")["wall_ratio"]), {"value", "low", "high"})
        self.assertEqual(report["settings"]["rounds"], 5)
        self.assertIsInstance(report["settings"]["noise"], float)
        self.assertTrue(report["machine"]["cpu"])
        for line in done.stdout.splitlines():
            if "/" not in line:
                self.assertLessEqual(len(line), 80, line)

    def test_the_page_says_what_the_table_says(self):
        plain, killed = self.library("plain"), self.library("killed", "abort()")
        done, _ = self.compare("--allocators", f"plain={plain},killed={killed}", "--runs", "5")
        self.assertIn(f"report: {self.folder / 'out' / 'report.html'}", done.stdout)
        text = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
        for words in ("plain beside glibc", "Wall time", "Peak memory", "Page faults",
                      "seq: killed failed: killed by SIGABRT", "wall s against glibc"):  # fmt: skip
            self.assertIn(words, text)
        text = (self.folder / "out" / "report.md").read_text(encoding="utf-8")
        for words in ("### seq", "| plain | ", "| killed | **FAILED**: killed by SIGABRT"):
            self.assertIn(words, text)

    def compare_while_seen(self, steps, *command):
        """As compare(), in this process. In a run that is watched the command finds a file `name` once
        `seen(watch)`, for each of `steps` in turn; in the others it finds all of them."""
        folder = self.folder
        for name, _ in steps:
            (folder / name).touch()

        class PatientWatch(verify.Watch):
            def __enter__(self):
                for name, _ in steps:
                    (folder / name).unlink()
                self.steps = threading.Thread(target=self.tell)
                self.steps.start()
                return super().__enter__()

            def __exit__(self, *exception):
                self.steps.join()
                return super().__exit__(*exception)

            def tell(self):
                for name, seen in steps:
                    support.wait_until(lambda seen=seen: seen(self))
                    (folder / name).touch()

        arguments = ["ab", "--allocators", "glibc", "--runs", "1", "--out", str(folder / "out")]
        said = io.StringIO()
        with mock.patch.object(verify, "Watch", PatientWatch), contextlib.redirect_stdout(said):
            status = main.main([*arguments, "--", *map(str, command)])
        report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
        return status, said.getvalue(), report

    def test_memory_over_time(self):
        waits = "while not os.path.exists('{}'): time.sleep(0.01)"
        grow = "\n".join((
            "import os, time",
            "b = []",
            waits.format(self.folder / "begun"),
            "for _ in range(10): b.append(bytes([1]) * (4 << 20)); time.sleep(0.03)",
            waits.format(self.folder / "grown"),
        ))  # fmt: skip
        steps = (
            ("begun", lambda watch: watch.memory),
            ("grown", lambda watch: watch.memory[-1][1] > 40 << 10),
            ("ended", lambda watch: watch.memory[-1][1] < 20 << 10),
        )
        ended = f"until [ -e {self.folder}/ended ]; do sleep 0.01; done"
        shell = ("sh", "-c", f'/usr/bin/python3 -c "{grow}" & wait; {ended}')
        status, said, report = self.compare_while_seen(steps, *shell)
        self.assertEqual(status, 0, said)
        series = self.result(report, "glibc")["memory_over_time"]
        times, sizes = zip(*series)
        self.assertEqual(times[0], 0)
        self.assertEqual(list(times), sorted(times))
        self.assertGreater(times[-1], 250)
        self.assertGreater(max(sizes), 40 << 10)  # the grandchild's ten blocks
        self.assertLess(sizes[0], 30 << 10)  # not this script on the way to the command
        self.assertLess(sizes[-1], max(sizes) / 2)  # freed with the grandchild
        page = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
        self.assertIn("sh: memory over time", page)

    def test_what_is_left_after_the_load_is_asked_for_in_runs_of_its_own(self):
        """And of each allocator as often."""
        asked = self.folder / "asked"
        tells = f'echo x >>{asked}; [ -z "$LEFT_KIB_FILE" ] || {{ echo 2048 >"$LEFT_KIB_FILE"; echo y >>{asked}; }}'
        done, report = self.compare(
            "--allocators", f"plain={self.library('plain')}", "--runs", "2", command=("sh", "-c", tells)
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("glibc", "plain"):
            self.assertEqual(self.result(report, name)["left_bytes"], [2 << 20] * 3)
        told = asked.read_text(encoding="utf-8")
        self.assertEqual(told.count("y"), 2 * 3)
        self.assertEqual(told.count("x"), 1 + 2 * 3 + 2 * 2)
        self.assertIn("left MiB    glibc 2.00, plain 2.00", done.stdout)
        self.assertIn("Memory left", (self.folder / "out" / "report.html").read_text(encoding="utf-8"))

    def test_a_program_that_does_not_tell_what_is_left(self):
        done, report = self.compare("--allocators", "glibc", "--runs", "1")
        self.assertEqual(self.result(report, "glibc")["left_bytes"], [])
        self.assertNotIn("left MiB    ", done.stdout)

    def test_failures_are_told_and_the_rest_goes_on(self):
        libraries = {
            "killed": self.library("killed", "abort()"),
            "status": self.library("status", 'write(2, "bad heap\\n", 9); _exit(9)'),
            "output": self.library("output", 'if (write(1, "x", 1) != 1) abort()'),
            "plain": self.library("plain"),
        }
        listed = ",".join(f"{name}={path}" for name, path in libraries.items())
        done, report = self.compare("--allocators", listed, "--runs", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("killed by SIGABRT", self.result(report, "killed")["failure"])
        self.assertEqual(self.result(report, "status")["failure"], "exit status 9: bad heap")
        self.assertIn("output differs", self.result(report, "output")["failure"])
        self.assertIsNone(self.result(report, "plain")["failure"])
        self.assertEqual(len(self.result(report, "plain")["samples"]), 1)
        self.assertIn("FAILED: killed by SIGABRT", done.stdout)

    def test_output_that_varies_anyway_is_not_compared(self):
        plain = self.library("plain")
        done, report = self.compare(
            "--allocators", f"plain={plain}", "--runs", "1", command=("sh", "-c", "echo $$")
        )
        self.assertEqual(done.returncode, 0)
        self.assertIn("is not compared", report["programs"][0]["notes"][0])

    def test_an_exit_status_that_is_the_commands_own(self):
        done, report = self.compare("--allocators", "glibc", "--runs", "1", command=("false",))
        self.assertEqual(done.returncode, 0)
        self.assertIn("exit status is 1", report["programs"][0]["notes"][0])

    def test_a_command_that_fails_everywhere(self):
        runs = self.folder / "runs"
        command = ("sh", "-c", f"echo >>{runs}; kill -9 $$")
        done, _ = self.compare("--allocators", "glibc", command=command)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: fails under glibc: killed by SIGKILL", done.stdout)
        self.assertEqual(runs.read_text(encoding="utf-8"), "\n")  # once is enough

    def test_a_program_that_calls_another_malloc(self):
        source = self.folder / "static.c"
        seen = self.folder / "seen"
        text = f'int main(void) {{ while (access("{seen}", F_OK) != 0) usleep(10000); return 0; }}\n'
        source.write_text("#include <unistd.h>\n" + text, encoding="utf-8")
        static = self.folder / "static"
        self.compile(source, static, "-static")
        steps = (("seen", lambda watch: watch.strangers),)
        status, said, _ = self.compare_while_seen(steps, static)
        self.assertIn("statically linked", said)
        self.assertEqual(status, 1)

    def test_a_library_that_kills_every_program_is_left_out(self):
        source = self.folder / "bad.c"
        source.write_text(
            "#include <stdlib.h>\nvoid* malloc(size_t n) { (void)n; abort(); }\n"
            "__attribute__((constructor)) static void start(void) { abort(); }\n",
            encoding="utf-8",
        )
        bad = self.folder / "bad.so"
        self.compile(source, bad, "-shared", "-fPIC", "-fno-builtin")
        done, report = self.compare("--allocators", f"bad={bad}", "--runs", "1")
        self.assertIn("left out: bad: a program that loads it is killed", done.stdout)
        self.assertEqual([a["name"] for a in report["allocators"]], ["glibc"])

    def test_a_signal_that_ends_it_reports_what_was_done(self):
        # Two runs are before the first round.
        runs, pid = self.folder / "runs", self.folder / "pid"
        stays = f"[ $(wc -l <{runs}) -lt 4 ] || {{ echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 100000; }}"
        command = [support.SCRIPT, "ab", "--out", self.folder / "out", "--allocators", "glibc", "--runs", "1000"]
        command += ["--", "sh", "-c", f"echo >>{runs}; {stays}"]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                support.wait_until(pid.exists)
                process.send_signal(number)
                output, _ = process.communicate(timeout=support.HANG_SECONDS)
                self.assertIn("interrupted in sh after 1 of 1000 rounds", output)
                self.assertEqual(process.returncode, 130)
                self.assertFalse(support.runs(pid.read_text(encoding="utf-8"), "sleep"))
                report = json.loads((self.folder / "out" / "report.json").read_text(encoding="utf-8"))
                self.assertTrue(report["settings"]["interrupted"])
                page = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
                self.assertIn("interrupted in sh after 1 of 1000 rounds", page)
            for path in (runs, pid, self.folder / "out" / "report.json"):
                path.unlink()

    def test_children_that_are_not_its_own_are_left_alone(self):
        before = "sleep 100000 >/dev/null 2>&1 & echo $!; exec"
        command = f"{before} {support.SCRIPT} ab --out {self.folder} --allocators glibc -- true"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        pid = int(done.stdout)
        try:
            self.assertTrue(support.runs(pid, "sleep"))
        finally:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"processes in the background: {pid} (sleep); leave out exec", done.stderr)

    def test_one_at_a_time_writes_to_a_folder(self):
        other = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        done = support.spillway("ab", "--out", self.folder, "--allocators", "glibc", "--", "true")
        os.close(other)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("another ab writes to", done.stderr)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Progress(unittest.TestCase):
    def test_elapsed_and_left(self):
        stream = Terminal()
        with mock.patch.object(progress.time, "monotonic", side_effect=itertools.count(0, 10)):
            bar = progress.Progress(18, stream)  # nine runs each
            for _ in range(9):
                bar.step("numpy: run")
            bar.skip_to(9)
            bar.step("redis: run")
        shown = [line.removeprefix("\033[K") for line in stream.getvalue().split("\r")[1:]]
        self.assertEqual(shown[0], "numpy: run; 10 s gone")
        self.assertRegex(shown[3], r"^numpy: run; 40 s gone, about \d min left$")
        self.assertRegex(shown[9], r"^redis: run; 3 min gone, about 3 min left$")

    def test_a_program_that_stopped_early_counts_as_done(self):
        with mock.patch.object(progress.time, "monotonic", side_effect=itertools.count(0, 10)):
            bar = progress.Progress(82, io.StringIO())
            bar.step("numpy: run")
            before = bar.left()
            bar.skip_to(41)
            bar.step("redis: run")
            self.assertLess(bar.left(), before)

    def test_runs_that_were_not_foreseen(self):
        with mock.patch.object(progress.time, "monotonic", side_effect=itertools.count(0, 10)):
            bar = progress.Progress(2, io.StringIO())
            bar.step("redis: run")
            bar.add(3)
            self.assertEqual(bar.left(), 20 / 1 * 4)

    def test_without_a_terminal(self):
        stream = io.StringIO()
        progress.Progress(3, stream).step("numpy: run")
        self.assertEqual(stream.getvalue(), "")


class Choose(support.WithFolder):
    def test_one_that_is_not_installed_is_left_out(self):
        with mock.patch.object(harness, "system_library", lambda soname: pathlib.Path("/lib/x.so")
                               if soname == "libc.so.6" else None):  # fmt: skip
            found, left_out = allocators.choose("mimalloc,glibc")
        self.assertEqual([a.name for a in found], ["glibc"])
        self.assertEqual(left_out, ["mimalloc: not installed (Debian's package libmimalloc2.0)"])

    def test_the_baseline_has_to_load(self):
        reasons = {"libc.so.6": "it is broken"}
        with mock.patch.object(
            allocators.check, "probe", lambda library: reasons.get(library.name)
        ), self.assertRaisesRegex(UserError, "glibc: it is broken: there is nothing to compare with"):
            allocators.usable("glibc")

    def test_spillway_with_its_pool_switched_off(self):
        library = self.folder / "libspillway.so"
        self.library("plain").rename(library)
        found, _ = allocators.choose("spillway,spillway-off", self.folder)
        self.assertEqual([(a.name, a.variables) for a in found],
                         [("glibc", {}), ("spillway", {}), ("spillway-off", {"SPILLWAY_ENABLED": "0"})])
        self.assertEqual(found[1].library, found[2].library)
        self.assertNotIn("spillway-off", allocators.entries(None))
        needed = [allocators.needs_library(text) for text in ("spillway-off", "glibc,spillway", None, "glibc")]
        self.assertEqual(needed, [True, True, True, False])

    def test_spillway_with_options(self):
        library = self.folder / "libspillway.so"
        self.library("plain").rename(library)
        listed = "hard=spillway:hardened:1+guard_pages:0,sampled=spillway:guard_sample:100"
        found, _ = allocators.choose(listed, self.folder)
        self.assertEqual([(a.name, a.variables) for a in found[1:]],
                         [("hard", {"SPILLWAY_CONF": "hardened:1,guard_pages:0"}),
                          ("sampled", {"SPILLWAY_CONF": "guard_sample:100"})])
        self.assertTrue(allocators.needs_library(listed))
        with mock.patch.object(allocators.check, "complaint", lambda library, variables: "unknown option"), \
             self.assertRaisesRegex(UserError, "hard: unknown option"):
            allocators.choose(listed, self.folder)

    def test_mistakes(self):
        for text, words in (
            ("a=spillway:hardened", "'hardened' is not OPTION:VALUE"),
            ("hoard", "unknown allocator 'hoard'"),
            ("glibc,glibc", "named twice"),
            ("a=/no/such.so", "no such library"),
            ("a=/bin/cat", "does not export malloc"),
            ("a b=/bin/cat", "is not a name of up to 12 characters: letters, digits, '_'"),
        ):
            with self.assertRaisesRegex(UserError, words):
                allocators.choose(text)

    def test_command_line_mistakes(self):
        for arguments, words in (
            (("--runs", "0"), "not a number"),
            (("--runs", "x"), "not a number"),
            (("--programs", "nothing"), "unknown program"),
            (("--programs", "redis", "--", "true"), "not both"),
            (("--", "no-such-command"), "command not found"),
            (("sleep", "1"), "spillway ab -- sleep 1"),
        ):
            done = support.spillway("ab", *arguments)
            self.assertIn(words, done.stderr)
            self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
