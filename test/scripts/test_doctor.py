# SPDX-License-Identifier: MIT
"""`spillway doctor`: what it says of machines, requests and runs that are made up, and of small real runs."""

import dataclasses
import json
import os
import signal
import subprocess
import unittest
from unittest import mock

import support
from spillway_cli import pprof, process
from spillway_cli.ab import measure
from spillway_cli.ab.measure import Sample
from spillway_cli.doctor import cgroup, heaps, looks, machine, page, program, results, trial, verdict
from spillway_cli.doctor.finding import note, ok, problem
from spillway_cli.errors import UserError

GOOD = machine.Facts(
    machine="x86_64", kernel="6.1.0-37-amd64", libc="glibc 2.36", page_size=4096, overcommit=0,
    huge_pages="madvise", ptrace_scope=0, may_trace=False, membarrier=True, address_space=None,
    locked_memory=8 << 20, group=cgroup.Group(1 << 30, "/sys/fs/cgroup/memory.pressure"), preloaded=(),
    library="/l.so", version="0.1.0", library_complaint=None, option_complaint=None,
)  # fmt: skip
NO_GROUP = cgroup.Group(None, None)


class Machine(unittest.TestCase):
    def test_nothing_is_wrong_with_a_good_one(self):
        found = machine.findings(GOOD)
        self.assertEqual({one.mark for one in found}, {"ok"})
        self.assertEqual([one for one in found if len(page.section("", [one])) > 2], [])  # a line each

    def test_each_fact_has_its_mark_words_and_action(self):
        for change, mark, topic, words in (
            ({"library_complaint": "no libc.so.6"}, "problem", "library", "does not load: no libc.so.6"),
            ({"machine": "riscv64"}, "problem", "system", "no Spillway"),
            ({"libc": ""}, "problem", "system", "not glibc"),
            ({"machine": "aarch64"}, "note", "system", "emulator"),
            ({"kernel": "4.9.0-x"}, "note", "kernel", "older than 4.14"),
            ({"membarrier": False}, "note", "kernel", "refuses membarrier"),
            ({"page_size": 65536}, "note", "page size", "64 KiB"),
            ({"overcommit": 2}, "note", "overcommit", "32.0 MiB at its start"),
            ({"overcommit": None}, "note", "overcommit", "can't be read"),
            ({"huge_pages": "never"}, "note", "huge pages", "gives none"),
            ({"huge_pages": "always"}, "note", "huge pages", "unused memory"),
            ({"address_space": 2 << 30}, "note", "ulimit -v", "2.0 GiB: the pool takes a quarter"),
            ({"address_space": 64 << 20}, "note", "ulimit -v", "too little for a pool"),
            ({"group": NO_GROUP}, "note", "pressure", "no effect"),
            ({"group": NO_GROUP}, "ok", "cgroup", "of the machine's memory"),
            ({"ptrace_scope": 1}, "note", "tracing", "need root"),
            ({"ptrace_scope": 1, "may_trace": True}, "ok", "tracing", "reach all"),
            ({"ptrace_scope": None}, "ok", "tracing", "reach all"),
            ({"ptrace_scope": 3, "may_trace": True}, "note", "tracing", "don't reach"),
            ({"option_complaint": "no option 'limt'"}, "note", "options", "limt"),
            ({"preloaded": ("libjemalloc.so.2",)}, "note", "preload", "libjemalloc.so.2"),
        ):  # fmt: skip
            with self.subTest(change=change):
                found = machine.findings(dataclasses.replace(GOOD, **change))
                one = next(one for one in found if one.topic == topic)
                self.assertEqual((one.mark, bool(one.action)), (mark, mark != "ok"))
                self.assertIn(words, one.text)

    def test_this_machine_can_be_read(self):
        facts = machine.read("/l.so", "0.1.0", None, None, [])
        self.assertEqual(facts.page_size, os.sysconf("SC_PAGESIZE"))
        self.assertTrue(facts.kernel and facts.libc.startswith("glibc"))

    def test_words_of_the_kernel(self):
        self.assertTrue(machine.may_trace("CapPrm:\t0\nCapEff:\t000001ffffffffff\n"))
        self.assertFalse(machine.may_trace("CapEff:\t0000000000000000\n"))


class Cgroup(support.WithFolder):
    def group(self, membership, files):
        for name, text in {"membership": membership, **files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
        return cgroup.Group.read(self.folder / "membership", str(self.folder), self.folder / "machine")

    def test_the_least_limit_of_a_group_and_its_parents(self):
        files = {"a/b/memory.max": "max\n", "a/memory.max": "4096\n", "memory.max": "9000\n"}
        found = self.group("0::/a/b\n", files)
        self.assertEqual(found, cgroup.Group(4096, None))

    def test_version_1(self):
        files = {"memory/a/memory.limit_in_bytes": "9223372036854771712\n", "machine": "some avg10=0.00\n"}
        found = self.group("5:cpu,memory:/a\n0::/\n", files)
        self.assertEqual(found, cgroup.Group(None, self.folder / "machine"))
        self.assertEqual(self.group("5:cpu,memory:/a\n", files | {"memory/memory.limit_in_bytes": "77\n"}).limit, 77)

    def test_the_groups_own_pressure_comes_first(self):
        files = {"a/memory.pressure": "some avg10=0.00\n", "machine": "some avg10=0.00\n"}
        found = self.group("0::/a\n", files)
        self.assertEqual(found.pressure, str(self.folder / "a" / "memory.pressure"))


class Program(support.WithFolder):
    def look(self, path):
        return program.look(str(path), self.library("plain"))[0]

    def built(self, *options):
        (self.folder / "program.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
        self.compile(self.folder / "program.c", self.folder / "program", *options)
        return self.folder / "program"

    def test_a_plain_program_and_its_script(self):
        self.assertEqual([one.mark for one in self.look("/bin/cat")], ["ok", "ok"])
        script = self.folder / "script"
        script.write_text("#!/bin/cat\n", encoding="utf-8")
        first, second, _ = self.look(script)
        self.assertIn("script is run by /bin/cat", first.text)
        self.assertIn("/bin/cat is dynamic", second.text)

    def test_what_stops_it_has_an_action(self):
        (one,) = self.look(self.built("-static"))
        self.assertEqual((one.mark, "libspillway.a" in one.action), ("problem", True))
        (one,) = self.look("/etc/passwd")
        self.assertEqual(one.mark, "problem")

    def test_what_cannot_be_read_is_the_only_finding(self):
        script = self.folder / "script"
        script.write_text("#!/no/such\n", encoding="utf-8")
        (one,) = self.look(script)
        self.assertEqual((one.mark, one.action), ("problem", program.ACTIONS["unreadable"]))
        self.assertIn("/no/such cannot be read (No such file or directory)", one.text)

    def test_an_allocator_that_it_needs_is_a_note(self):
        stub = self.stub("libmimalloc.so.2")
        (one,) = self.look(self.built(f"-Wl,-rpath,{self.folder}", "-Wl,--no-as-needed", stub))
        self.assertEqual(one.mark, "note")
        self.assertIn("brings mimalloc (libmimalloc.so.2)", one.text)


def sizes(*groups):
    """Of (min_bytes, calls, bytes, live)"""
    names = ("alloc_objects", "alloc_space", "inuse_space")
    return tuple(pprof.Sizes(min_bytes, dict(zip(names, values, strict=True))) for min_bytes, *values in groups)


def requests(*groups, peak=heaps.Live(0, 0, 0)):
    return verdict.Requests.of(heaps.Heap(1, "p", {"pid": 1}, sizes(*groups), peak))


class Verdict(unittest.TestCase):
    def test_groups_begin_at_their_sizes(self):
        found = requests((2048, 1, 10, 0), (4096, 2, 20, 7), (524288, 3, 30, 0), (1 << 20, 4, 40, 1))
        self.assertEqual((found.calls, found.bytes, found.live), ((1, 5, 4), (10, 50, 40), (0, 7, 1)))

    def test_the_most_that_was_live(self):
        found = requests((64, 1, 10, 10), peak=heaps.Live(5, 6, 7))
        self.assertEqual(found.live, (5, 6, 7))
        self.assertEqual(requests((64, 1, 10, 10), peak=heaps.Live(1, 1, 1)).live, (10, 0, 0))

    def test_small_requests_are_mimallocs(self):
        found = verdict.judge(requests((64, 998_000, 64 << 20, 1 << 20), (8192, 2000, 16 << 20, 0)), 10.0, "x")
        self.assertEqual(found.answer, verdict.NEUTRAL)
        self.assertIn("99.8 % of its requests are below 4 KiB", found.text)
        self.assertIn("expect mimalloc's speed", found.text)

    def test_many_pages_a_second_may_help(self):
        found = verdict.judge(requests((8192, 100_000, 800 << 20, 0)), 1.0, "x y")
        self.assertEqual(found.answer, verdict.MAY_HELP)
        self.assertIn("its time, of which new pages for them cost at most 27 %", found.text)
        self.assertNotIn("memory", found.text)
        self.assertEqual(found.action, "measure it: spillway ab -- x y")

    def test_much_that_is_live_may_help(self):
        found = verdict.judge(requests((64, 1000, 8 << 20, 8 << 20), (8192, 100, 24 << 20, 24 << 20)), 60.0, "x")
        self.assertIn("its memory, of which they are 75.0 %", found.text)
        self.assertNotIn("its time", found.text)

    def test_a_program_that_asks_for_little(self):
        found = verdict.judge(requests((8192, 100, 800 << 10, 0)), 0.001, "x")
        self.assertEqual((found.answer, found.action), (verdict.NEUTRAL, ""))
        self.assertIn("next to nothing", verdict.judge(requests(), 0.001, "x").text)

    def test_per_cent(self):
        shown = [verdict.share_text(share) for share in (None, 0, 0.0001, 0.5, 0.99951, 1)]
        self.assertEqual(shown, ["nothing", "0 %", "less than 0.1 %", "50.0 %", "more than 99.9 %", "100 %"])

    def test_the_busiest_process_is_judged(self):
        few, many = (heaps.Heap(pid, sizes=sizes((64, 1, count, 0))) for pid, count in ((1, 10), (2, 20)))
        self.assertIs(verdict.busiest([heaps.Heap(3), few, many]), many)
        self.assertIsNone(verdict.busiest([heaps.Heap(3)]))


class Live(unittest.TestCase):
    def test_pages_of_samples_are_not_the_pools(self):
        snapshot = {
            "mimalloc_live_bytes": 10 * heaps.RATE, "pool_live_bytes": 100_000, "large_live_bytes": 7,
            "classes": [{"block_size": 4096, "live_bytes": 50_000}],
        }  # fmt: skip
        self.assertEqual(heaps.live_of(snapshot), heaps.Live(10 * heaps.RATE, 100_000 - 10 * 4096, 7))
        snapshot["classes"][0]["live_bytes"] = 4096
        self.assertEqual(heaps.live_of(snapshot).middle, 100_000 - 4096)


class FakeAttachment:
    def __init__(self, answers):
        self._answers = answers
        self.closed = 0

    def snapshot(self):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed += 1


class Looks(unittest.TestCase):
    def looks(self, find, times, stages=()):
        made = looks.Looks(stages, find)
        with support.waiting_process():
            for _ in range(times):
                made.look(os.getpid())
        made.close()
        return made

    def test_the_largest_of_some_looks_is_kept(self):
        answers = [{"program": "p", "mimalloc_live_bytes": bytes} for bytes in (1, 9, 2)]
        fake = FakeAttachment(answers)
        (heap,) = self.looks(lambda pid: fake, 3).heaps.values()
        self.assertEqual((heap.program, heap.peak, fake.closed), ("p", heaps.Live(9, 0, 0), 1))

    def test_a_process_that_does_not_answer_is_given_up(self):
        fake = FakeAttachment([UserError("no answer")] * 9)
        self.looks(lambda pid: fake, 9)
        self.assertEqual(fake.closed, looks.MAX_FAILURES)

    def test_programs_without_the_library(self):
        self.assertEqual(self.looks(lambda pid: None, looks.MAX_ABSENCES).strangers(), {"sh"})
        self.assertEqual(self.looks(lambda pid: None, looks.MAX_ABSENCES - 1).strangers(), set())

    def test_not_those_that_become_the_command(self):
        stages = [["sh", "-c", "echo; read line"]]
        self.assertEqual(self.looks(lambda pid: None, looks.MAX_ABSENCES, stages).strangers(), set())

    def test_nor_one_that_is_still_loaded(self):
        with mock.patch.object(process, "allocator", return_value=None):
            self.assertEqual(self.looks(lambda pid: None, looks.MAX_ABSENCES).strangers(), set())

    def test_a_process_that_executes_another_program_counts_anew(self):
        made = looks.Looks(find=lambda pid: None)
        with support.waiting_process():
            for program in ("/bin/a", "/bin/b"):
                with mock.patch.object(process, "executable", return_value=program):
                    for _ in range(looks.MAX_ABSENCES - 1):
                        made.look(os.getpid())
        self.assertEqual(made.strangers(), set())


class Files(support.WithFolder):
    def test_what_is_cut_off_counts_for_nothing(self):
        (self.folder / "statistics.5").write_text('{"program": "a", "mimalloc_live_bytes": 3}', encoding="utf-8")
        (self.folder / "statistics.6").write_text('{"program', encoding="utf-8")
        (self.folder / "profile.5").write_text("no profile", encoding="utf-8")
        (self.folder / "statistics.7.tmp").write_text("{}", encoding="utf-8")
        found = {}
        heaps.read_files(self.folder, found)
        self.assertEqual((found[5].program, found[5].sizes, found[6].statistics), ("a", None, {}))
        self.assertEqual(set(found), {5, 6})


def run(status=0, ended=False, complaint=""):
    return trial.Run(Sample(1.0, 1.0, 1, 1, status), complaint, ended)


class Results(unittest.TestCase):
    HEAP = heaps.Heap(7, "p", {"pool_off": 0}, sizes((64, 1, 1, 1)))

    def status(self, plain, with_it):
        return results.findings(plain, with_it, [self.HEAP], self.HEAP)[0]

    def test_exit_statuses(self):
        for plain, with_it, mark, words in (
            (run(), run(), "ok", "exit status 0, with Spillway as without"),
            (run(3), run(3, complaint="bad"), "note", "exit status 3, with Spillway as without (bad)"),
            (run(), run(-6), "problem", "exit status 0 without Spillway, but killed by SIGABRT with it"),
            (run(ended=True), run(ended=True), "ok", "still ran when its time was over, with"),
            (run(), run(ended=True), "note", "exit status 0 without Spillway; still ran"),
            (None, run(), "ok", "not run without"),
            (None, run(1), "note", "not run without"),
        ):
            found = self.status(plain, with_it)
            self.assertEqual(found.mark, mark, found.text)
            self.assertIn(words, found.text)

    def test_which_process(self):
        found = results.findings(None, run(), [self.HEAP, heaps.Heap(8)], self.HEAP)
        self.assertIn("2 processes used Spillway; p (process 7) asked for most", found[1].text)
        found = results.findings(None, run(), [heaps.Heap(8, "q")], None)
        self.assertEqual((found[1].mark, "q left no figures" in found[1].text), ("note", True))
        found = results.findings(None, run(), [], None, {"s"})
        self.assertEqual((found[1].mark, "s ran without" in found[1].text), ("problem", True))

    def test_processes_that_it_leaves_behind(self):
        left = run()
        left.sample.left_behind = True
        self.assertEqual(results.findings(None, left, [self.HEAP], self.HEAP)[1].topic, "left behind")

    def test_what_the_statistics_say(self):
        heap = dataclasses.replace(
            self.HEAP, statistics={"pool_off": 1, "class_full_total": 2, "profile_dropped_total": 3}
        )
        found = results.findings(None, run(), [heap], heap)
        self.assertEqual([one.topic for one in found[2:]], ["pool", "pool", "samples"])


class Page(unittest.TestCase):
    def test_lines_are_within_80_columns(self):
        bad = dataclasses.replace(
            GOOD, ptrace_scope=1, overcommit=2, address_space=1, huge_pages="always", group=NO_GROUP
        )  # fmt: skip
        lines = page.section("machine", machine.findings(bad))
        lines += page.table(requests((64, 10**9, 2**40, 2**35), (8192, 10**12, 2**50, 2**40)))
        lines += page.conclusion(verdict.judge(requests((8192, 10**9, 2**40, 2**35)), 1.0, "x " * 60), 80)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn("  note    tracing     kernel.yama.ptrace_scope is 1", "\n".join(lines))

    def test_nothing_that_a_terminal_obeys(self):
        self.assertNotIn("\x1b", "".join(page.section("x", [note("y", "a\x1b[2Jb", "c")])))

    def test_json(self):
        wanted = requests((64, 1, 2, 3))
        heap = heaps.Heap(7, "p", {}, sizes((64, 1, 2, 3)))
        found = page.as_json({"machine": [ok("a", "b"), problem("c", "d", "e")]}, wanted, heap, None, 1)
        found = json.loads(json.dumps(found))
        self.assertEqual([one["action"] for one in found["findings"]], [None, "e"])
        self.assertEqual(found["requests"]["sizes"][0], {"min_bytes": 0, "calls": 1, "bytes": 2, "live_bytes": 3})
        self.assertEqual((found["verdict"], found["status"]), (None, 1))


class Command(support.WithFolder):
    """With a library that is none of ours: runs, statuses and what is left of them."""

    def doctor(self, *arguments, action=""):
        return support.spillway("doctor", "--lib", self.library("libstandin", action), *arguments)

    def test_the_same_status_and_no_figures(self):
        done = self.doctor("--", "sh", "-c", "echo out; echo err >&2; exit 3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("exit status 3, with Spillway as without (err)", " ".join(done.stdout.split()))
        self.assertIn("verdict\n  unknown: the run left no figures", done.stdout)
        self.assertNotIn("\nout", done.stdout)

    def test_another_status_is_a_problem(self):
        done = self.doctor("--json", "--", "seq", "1", action="abort()")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertEqual((found["status"], found["verdict"], found["requests"]), (1, None, None))
        one = next(one for one in found["findings"] if one["mark"] == "problem")
        self.assertIn("exit status 0 without Spillway, but killed by SIGABRT", one["text"])

    def test_its_time_is_over(self):
        done = self.doctor("--once", "--seconds", "0.3", "--", "sleep", "1000")
        self.assertIn("still ran when its time was over", " ".join(done.stdout.split()))

    def test_a_program_that_does_not_end_when_asked(self):
        file = self.folder / "begun"
        clock = mock.Mock(monotonic=lambda: 1e9 if file.exists() else 0)
        with mock.patch.object(measure, "GRACE", 0.2), mock.patch.object(trial, "time", clock):
            found = trial.run_plain(["sh", "-c", f"trap '' TERM; : >{file}; exec sleep 1000"], "", 60)
        self.assertEqual((found.sample.status, found.ended), (-signal.SIGKILL, True))

    def test_why_there_is_no_sample(self):
        with mock.patch.object(measure, "run", side_effect=UserError("can't end process 7")), \
             self.assertRaisesRegex(UserError, "^can't end process 7$"):  # fmt: skip
            trial.run_plain(["true"], "", 60)

    def test_an_interrupt_ends_the_program(self):
        """Ctrl-C reaches the process that runs it, too."""
        measure.become_subreaper()

        def interrupted(*_):
            runs = lambda pid: process.arguments(pid) == ["sleep", "1000"]  # noqa: E731
            support.wait_until(lambda: any(map(runs, process.descendants(os.getpid()))))
            (worker,) = process.children(os.getpid())
            os.kill(worker, signal.SIGINT)
            raise KeyboardInterrupt

        for _ in range(10):  # the worker may get both signals at once, or one after the other
            with mock.patch.object(trial.select, "select", interrupted), self.assertRaises(KeyboardInterrupt):
                trial.run_plain(["sleep", "1000"], "", 60)
            self.assertEqual(process.descendants(os.getpid()), [])
            with self.assertRaises(ChildProcessError):
                os.wait4(-1, 0)

    def test_so_do_other_signals_that_end_the_doctor(self):
        pid = self.folder / "pid"
        command = f"echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 1000"
        library = self.library("libstandin")
        for number in (signal.SIGTERM, signal.SIGHUP):
            with subprocess.Popen(
                [support.SCRIPT, "doctor", "--once", "--lib", library, "--", "sh", "-c", command],
                stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(self.folder)},
            ) as doctor:  # fmt: skip
                support.wait_until(pid.exists)
                doctor.send_signal(number)
                self.assertEqual(doctor.wait(support.HANG_SECONDS), 130)
            self.assertFalse(support.runs(pid.read_text(encoding="utf-8"), "sleep"))
            self.assertEqual(list(self.folder.glob("spillway-doctor-*")), [])
            pid.unlink()

    def test_a_program_that_cannot_be_preloaded_is_not_run(self):
        (self.folder / "p.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
        self.compile(self.folder / "p.c", self.folder / "p", "-static")
        done = self.doctor("--", self.folder / "p")
        self.assertEqual((done.returncode, "\nrun\n" in done.stdout), (1, False))

    def test_without_running_it(self):
        done = self.doctor("--no-run", "--", "sh", "-c", f"touch {self.folder}/ran")
        self.assertEqual((done.returncode, (self.folder / "ran").exists()), (0, False))

    def test_wrong_uses(self):
        for words, status in (
            (("--once",), 2), (("--no-run",), 2), (("--once", "--no-run", "--", "true"), 2),
            (("--seconds", "0", "--", "true"), 2),
            (("--seconds", "501", "--", "true"), 2), (("--", "no-such-command"), 127), (("ls",), 2),
        ):  # fmt: skip
            found, said = support.said("doctor", *words)
            self.assertEqual((found, said.count("\n")), (status, 1), said)


if __name__ == "__main__":
    unittest.main()
