# SPDX-License-Identifier: MIT
"""`spillway record` and `spillway replay`: their arguments, and what they do with stand-ins for the
programs that they run. test/trace/every_call.py has the real ones."""

import argparse
import itertools
import json
import os
import pathlib
import signal
import types
import unittest
from unittest import mock

import support
from spillway_cli import allocators, packing, paths, record, replay, tools
from spillway_cli.allocators import Allocator
from spillway_cli.errors import UserError

# A packer that tells its arguments; a recording holds the number of its events.
TOOL = """#!/bin/sh
case $1 in
  pack) read -r events <"$2"; echo "$2" >"$3"; echo 'FACTS, "events": '$events'}' ;;
  show) for file; do :; done; echo "$file: shown" ;;
esac
"""
RESULT = {
    "name": "trace/one", "ns": {"median": 40.0}, "ns_again": {"median": 20.0},
    "peak_mib": 2.5, "peak_ratio": 1.25, "faults": 640,
}  # fmt: skip
FACTS = {"program": "p", "events": 10, "threads": 2, "peak_live": 2 << 20, "file": "one.trace"}


def tool(**changed):
    facts = {"program": "a/b", "last_stamp": 5, "threads": 2, "lanes": 2, "unknown": 0, "mended": 0}
    return TOOL.replace("FACTS", json.dumps(facts | changed).removesuffix("}"))


class Arguments(unittest.TestCase):
    def wrong(self, *arguments):
        done = support.spillway(*arguments)
        self.assertEqual(done.returncode, 2)
        return done.stderr.strip().splitlines()[-1]

    def test_record_without_a_command(self):
        self.assertIn("record: no command", self.wrong("record"))

    def test_numbers_of_events(self):
        for text in ("0", "-1", "x", str((1 << 25) + 1)):
            self.assertIn("is not a number from 1 to 33554432", self.wrong("record", f"--events={text}"))
        self.assertIn("from 0 to", self.wrong("record", "--skip=-1"))

    def test_one_way_to_choose_processes(self):
        self.assertIn("not allowed with", self.wrong("record", "--children", "--program", "x"))

    def test_a_build_folder_without_programs(self):
        line = self.wrong("record", "--build-dir", "/", "--", "true")
        self.assertEqual(line, "spillway: --build-dir: no librecord.so in /")
        line = self.wrong("replay", "--build-dir", "/")
        self.assertEqual(line, "spillway: --build-dir: no bench/bench_trace in /")

    def test_replay_takes_no_command(self):
        self.assertIn("takes traces", self.wrong("replay", "--", "true"))

    def test_replay_numbers_and_words(self):
        self.assertIn("is not a number", self.wrong("replay", "--rounds", "0"))
        self.assertIn("invalid choice", self.wrong("replay", "--touch", "all"))
        for path in ("/nowhere/a.json", "/"):
            self.assertIn("cannot write", self.wrong("replay", "--json", path))


class WithTool(support.WithFolder):
    def setUp(self):
        super().setUp()
        (self.folder / "bench").mkdir()
        (self.folder / "raw").mkdir()
        self.program("bench_trace", tool())

    def program(self, name, text):
        path = self.folder / "bench" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def recorded(self, *names, events=()):
        for name, number in itertools.zip_longest(names, events, fillvalue=1):
            (self.folder / "raw" / name).write_text(f"{number}\n", encoding="utf-8")
        return packing.images(self.folder / "raw")


class Pack(WithTool):
    def pack(self, way, *arguments, events=9):
        made = packing.Packing(self.folder, self.folder / "out.trace", events)
        with mock.patch("sys.stderr") as stderr:
            getattr(made, way)(*arguments)
        return "".join(call.args[0] for call in stderr.write.call_args_list)

    def written(self):
        return {
            path.name: path.read_text(encoding="utf-8").strip().rpartition("/")[2]
            for path in self.folder.glob("out.*")
        }

    def test_the_last_program_of_a_process_counts(self):
        found = self.recorded("7.0", "7.10", "7.9", "8.0")
        self.assertEqual({pid: image.path.name for pid, image in found.items()}, {7: "7.10", 8: "8.0"})
        self.pack("one", found, 7)
        self.assertEqual(self.written(), {"out.trace": "7.10"})

    def test_children_have_files_of_their_own(self):
        told = self.pack("all", self.recorded("7.0", "8.0"), 7, None)
        self.assertEqual(self.written(), {"out.trace": "7.0", "out.trace.a_b.8": "8.0"})
        self.assertEqual(told.count("shown"), 2)
        self.assertNotIn(";", told)

    def test_children_of_a_command_that_was_not_recorded(self):
        told = self.pack("all", self.recorded("8.0"), 7, "sh is statically linked")
        self.assertEqual(self.written(), {"out.trace.a_b.8": "8.0"})
        self.assertIn("only processes that the command started: sh is statically linked", told)
        with self.assertRaisesRegex(UserError, "nothing was recorded: sh is statically linked"):
            self.pack("all", {}, 7, "sh is statically linked")

    def test_of_a_program_the_process_with_most_events(self):
        found = self.recorded("7.0", "9.0", "8.0", "5.0", events=(3, 7, 9, 8))
        self.assertEqual({image.path.stat().st_size for image in found.values()}, {2})
        self.pack("busiest", found, "b")
        self.assertEqual(self.written(), {"out.trace": "8.0"})

    def test_what_a_trace_lacks_is_told(self):
        found = self.recorded("7.0")
        self.assertTrue(self.pack("one", found, 7, events=6).endswith("shown\n"))
        self.assertTrue(self.pack("one", found, 7, events=5).endswith("shown; cut after 5 events\n"))
        for changed, words in (
            ({"threads": 3, "lanes": 2}, "; its 3 threads share 2\n"),
            ({"unknown": 4}, "; ends of unseen blocks left out: 4\n"),
            ({"mended": 5}, "; unseen ends put where the address came again: 5\n"),
        ):
            self.program("bench_trace", tool(**changed))
            self.assertTrue(self.pack("one", found, 7).endswith(words), words)

    def test_nothing_recorded(self):
        for arguments, text in (
            (("one", {}, 7), "nothing was recorded: the command did not call malloc"),
            (("one", self.recorded("8.0"), 7), "nothing was recorded"),
            (("busiest", {}, "x"), "no process named x"),
        ):
            with self.assertRaisesRegex(UserError, text):
                self.pack(*arguments)


class Tools(support.WithFolder):
    def targets(self, targets, asked):
        """What is built for a command that needs `targets` and allocators."""
        done = mock.Mock(returncode=0)
        with mock.patch.object(paths.subprocess, "run", return_value=done) as run:
            self.assertEqual(tools.folder(None, targets, asked), paths.RELEASE)
        return tuple(run.call_args.args[0][2:])

    def test_the_library_is_built_when_asked_for(self):
        for asked in ("spillway", "glibc, spillway", None):
            self.assertEqual(self.targets(("a", "b"), asked), ("a", "b", "spillway_preload"))
        for asked in ("glibc", "/x/libspillway.so", "spillway=/x/lib.so"):
            self.assertEqual(self.targets(("a", "b"), asked), ("a", "b"))
        self.assertEqual(record.TARGETS, ("librecord", "bench_trace"))
        self.assertEqual(replay.TARGETS, ("bench_trace", "bench_replay"))

    def test_another_build_folder_has_its_own_library(self):
        found, left_out = allocators.choose("spillway", self.folder)
        self.assertEqual(([one.name for one in found], len(left_out)), (["glibc"], 1))
        self.assertIn(f"spillway: no libspillway.so in {self.folder}", left_out[0])
        with self.assertRaisesRegex(UserError, "no libspillway.so in"):
            record.allocator_named("spillway", self.folder)
        library = self.library("libspillway")
        one = record.allocator_named("spillway", self.folder)
        self.assertEqual((one.library, one.version), (library, "as built"))

    def test_only_what_is_needed_has_to_be_there(self):
        (self.folder / "bench").mkdir()
        for name in ("bench_trace", "bench_replay"):
            (self.folder / "bench" / name).touch()
        self.assertEqual(tools.folder(self.folder, replay.TARGETS, None), self.folder)
        with self.assertRaisesRegex(UserError, "no librecord.so"):
            tools.folder(self.folder, record.TARGETS, None)


class Run(support.WithFolder):
    def test_the_command_gets_what_the_recorder_needs(self):
        seen = self.folder / "seen"
        arguments = types.SimpleNamespace(
            command=["sh", "-c", f"env >{seen}; echo $$ >>{seen}; exit 3"], program=None, children=False
        )
        pid, status = record._run("/bin/sh", arguments, {"A": "1"})
        lines = seen.read_text(encoding="utf-8").split()
        self.assertEqual(status, 3)
        self.assertIn(f"SPWTRACE_PID={pid}", lines)
        self.assertEqual((lines[-1], "A=1" in lines), (str(pid), True))
        arguments.children = True
        record._run("/bin/sh", arguments, {})
        self.assertNotIn("SPWTRACE_PID", seen.read_text(encoding="utf-8"))

    def test_the_command_ignores_no_signal_that_we_do_not(self):
        seen = self.folder / "seen"
        command = ["sh", "-c", f"grep SigIgn /proc/self/status >{seen}"]
        arguments = types.SimpleNamespace(command=command, program=None, children=False)
        self.assertEqual(record._run("/bin/sh", arguments, dict(os.environ))[1], 0)
        self.assertEqual(seen.read_text(encoding="utf-8"), support.ignored_signals())

    def test_what_cannot_be_executed(self):
        arguments = types.SimpleNamespace(command=["x"], program=None, children=False)
        kept = os.dup(2)
        with open(self.folder / "told", "w", encoding="utf-8") as told:
            os.dup2(told.fileno(), 2)
        try:
            self.assertEqual(record._run("/etc/passwd", arguments, {})[1], 126)
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        told = (self.folder / "told").read_text(encoding="utf-8")
        self.assertEqual(told, "spillway: /etc/passwd: Permission denied\n")

    def test_what_signals_did_before_they_do_again(self):
        def handler(*_):
            pass

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.signal(number, handler))
        arguments = types.SimpleNamespace(command=["true"], program=None, children=False)
        record._run("/bin/true", arguments, dict(os.environ))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.assertIs(signal.getsignal(number), handler)

    def test_a_killed_command(self):
        arguments = types.SimpleNamespace(command=["sh", "-c", "kill -9 $$"], program=None, children=False)
        self.assertEqual(record._run("/bin/sh", arguments, dict(os.environ))[1], 128 + 9)


class Replay(WithTool):
    def campaign(self, script, *names):
        self.program("bench_replay", script)
        arguments = argparse.Namespace(rounds=5, repetitions=2, touch="word")
        found = [Allocator(name, self.library(name), "1") for name in names]
        campaign = replay.Campaign(self.folder, arguments, ["one.trace"], found)
        campaign.run()
        return campaign

    def answering(self, served="$LD_PRELOAD"):
        data = json.dumps({"context": {"malloc_from": "SERVED", "cores": "2"}, "results": [RESULT]})
        data = data.replace("SERVED", "'\"" + served + "\"'")
        return f"#!/bin/sh\necho \"$*\" >>{self.folder}/calls\necho '{data}'\n"

    def test_each_round_runs_every_allocator(self):
        campaign = self.campaign(self.answering(), "glibc", "other")
        calls = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        self.assertEqual(calls, ["--json - --repetitions 2 --touch word one.trace"] * 10)
        self.assertEqual(campaign.failures, {})
        lines = campaign.table_of("trace/one", FACTS)
        self.assertEqual(lines[0], "trace/one: p, 10 events, 2 threads, 2.0 MiB live at most")
        self.assertEqual(lines[2].split(), ["glibc", "40.0", "20.0", "2.50", "1.25", "640"])
        self.assertRegex(lines[3], r"other +40\.0 ~ +\[1\.00, 1\.00\]")
        self.assertLessEqual(max(map(len, lines)), 80)
        content = campaign.content()
        self.assertEqual(content["context"], {"cores": "2"})
        self.assertEqual(content["results"][1]["ns"], [40.0] * 5)

    def test_another_allocator_at_work_is_a_failure(self):
        campaign = self.campaign(self.answering("/bin/true"), "glibc")
        self.assertEqual(campaign.failures, {"glibc": "malloc is that of /bin/true"})
        self.assertIn("FAILED: malloc is that of", campaign.table_of("trace/one", FACTS)[2])
        self.assertEqual(len((self.folder / "calls").read_text(encoding="utf-8").splitlines()), 1)

    def test_a_replay_that_fails(self):
        campaign = self.campaign("#!/bin/sh\necho no memory >&2\nexit 1\n", "glibc")
        self.assertEqual(campaign.failures, {"glibc": "no memory"})
        self.assertEqual(campaign.content()["allocators"][0]["failure"], "no memory")

    def test_interrupt_reports_the_whole_rounds(self):
        """And ends what the program forked, which no one signal of a terminal's would have reached."""
        for ending in ("INT", "TERM"):
            with self.subTest(ending):
                self.interrupted_by(ending)

    def interrupted_by(self, ending):
        facts = json.dumps(FACTS)
        self.program("bench_trace", f"#!/bin/sh\necho '{facts}'\n")
        # In the third round, once its parent waits for what it prints.
        lines = f"""[ $(wc -l <{self.folder}/calls) -lt 6 ] || {{
          sleep 100000 >/dev/null 2>&1 & echo $! $$ >{self.folder}/pids
          until grep -q '^State:.S' /proc/$PPID/status; do :; done
          kill -{ending} $PPID; exec sleep 100000; }}\n"""
        answer, _, data = self.answering().rpartition("echo")
        self.program("bench_replay", f"{answer}{lines}echo{data}")
        done = support.spillway(
            "replay", "--build-dir", self.folder, "--allocators", f"plain={self.library('plain')}",
            "--json", self.folder / "figures.json", "one.trace",
        )  # fmt: skip
        (self.folder / "calls").unlink()
        self.assertEqual((done.returncode, done.stderr), (130, ""))
        for pid in (self.folder / "pids").read_text(encoding="utf-8").split():
            support.wait_until(lambda pid=pid: not support.runs(pid, "sleep"))
        self.assertIn("interrupted after 2 of 7 rounds\n", done.stdout)
        self.assertRegex(done.stdout, r"plain +40\.0 ")
        figures = json.loads((self.folder / "figures.json").read_text(encoding="utf-8"))
        self.assertTrue(figures["settings"]["interrupted"])
        self.assertEqual([one["ns"] for one in figures["results"]], [[40.0, 40.0]] * 2)

    def test_interrupt_before_the_first_round_is_whole(self):
        campaign = replay.Campaign(
            self.folder, argparse.Namespace(rounds=5), ["one.trace"], [Allocator("glibc", "/x", "1")]
        )
        with mock.patch.object(campaign, "_measure", side_effect=KeyboardInterrupt):
            campaign.run()
        self.assertTrue(campaign.interrupted)
        self.assertEqual(campaign.table_of("trace/one", FACTS)[2].split(), ["glibc", "not", "measured"])

    def test_two_traces_of_one_name(self):
        with self.assertRaisesRegex(UserError, "two traces are named a"):
            replay._look_at(self.folder, ["a.trace", "b/a.trace"])

    def test_a_look_at_traces_that_is_killed(self):
        self.program("bench_trace", "#!/bin/sh\nkill -KILL $$\n")
        with self.assertRaisesRegex(UserError, "bench_trace failed") as caught:
            replay._look_at(self.folder, ["a.trace"])
        self.assertEqual(caught.exception.status, 1)

    def test_committed_traces_are_described(self):
        text = (replay.TRACES / "README.md").read_text(encoding="utf-8")
        names = {path.stem for path in pathlib.Path(replay.TRACES).glob("*.trace")}
        self.assertEqual({name for name in names if f"| `{name}` " not in text}, set())
        self.assertTrue(names)


if __name__ == "__main__":
    unittest.main()
