"""`spillway record` and `spillway replay`: their arguments, and what they do with stand-ins for the
programs that they run. test/trace/every_call.py has the real ones."""

import argparse
import json
import os
import pathlib
import types
import unittest
from unittest import mock

import support
from spillway_cli import record, replay
from spillway_cli.allocators import Allocator
from spillway_cli.errors import UserError

# A packer that tells its arguments, and a replaying program whose figures grow from call to call.
TOOL = """#!/bin/sh
case $1 in
  pack) echo "$2" >"$3"; echo '{"program": "a/b", "last_stamp": 5}' ;;
  show) for file; do :; done; echo "$file: shown" ;;
esac
"""
RESULT = {
    "name": "trace/one", "ns": {"median": 40.0}, "ns_again": {"median": 20.0},
    "peak_mib": 2.5, "peak_ratio": 1.25, "faults": 640,
}  # fmt: skip
FACTS = {"program": "p", "events": 10, "threads": 2, "peak_live": 2 << 20, "file": "one.trace"}


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

    def test_replay_takes_no_command(self):
        self.assertIn("takes traces", self.wrong("replay", "--", "true"))

    def test_replay_numbers_and_words(self):
        self.assertIn("is not a number", self.wrong("replay", "--rounds", "0"))
        self.assertIn("invalid choice", self.wrong("replay", "--touch", "all"))
        self.assertIn("cannot write", self.wrong("replay", "--json", "/nowhere/a.json"))


class WithTool(support.WithFolder):
    def setUp(self):
        super().setUp()
        (self.folder / "bench").mkdir()
        (self.folder / "raw").mkdir()
        self.program("bench_trace", TOOL)

    def program(self, name, text):
        path = self.folder / "bench" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def recorded(self, *names):
        for at, name in enumerate(names):
            (self.folder / "raw" / name).write_text("x" * at, encoding="utf-8")
        return record.images(self.folder / "raw")


class Pack(WithTool):
    def pack(self, found, pid, **given):
        arguments = types.SimpleNamespace(**{"program": None, "children": False, "events": 9} | given)
        packing = record.Packing(self.folder, arguments, self.folder / "out.trace")
        with mock.patch("sys.stderr") as stderr:
            record._pack(packing, found, pid)
        return "".join(call.args[0] for call in stderr.write.call_args_list)

    def written(self):
        return {
            path.name: path.read_text(encoding="utf-8").strip().rpartition("/")[2]
            for path in self.folder.glob("out.*")
        }

    def test_the_last_program_of_a_process_counts(self):
        found = self.recorded("7.0", "7.10", "7.9", "8.0")
        self.assertEqual({pid: image.path.name for pid, image in found.items()}, {7: "7.10", 8: "8.0"})
        self.pack(found, 7)
        self.assertEqual(self.written(), {"out.trace": "7.10"})

    def test_children_have_files_of_their_own(self):
        told = self.pack(self.recorded("7.0", "8.0"), 7, children=True)
        self.assertEqual(self.written(), {"out.trace": "7.0", "out.trace.a_b.8": "8.0"})
        self.assertEqual(told.count("shown"), 2)
        self.assertNotIn("cut", told)

    def test_of_a_program_the_process_with_most_events(self):
        self.pack(self.recorded("7.0", "9.0", "8.0", "5.0"), 7, program="b")
        self.assertEqual(self.written(), {"out.trace": "5.0"})

    def test_a_cut_recording_is_called_so(self):
        self.assertIn("shown; cut after 5 events", self.pack(self.recorded("7.0"), 7, events=5))

    def test_nothing_recorded(self):
        for given, text in (({}, "nothing was recorded"), ({"program": "x"}, "no process named x")):
            with self.assertRaisesRegex(UserError, text):
                self.pack({}, 7, **given)

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

    def test_two_traces_of_one_name(self):
        with self.assertRaisesRegex(UserError, "two traces are named a"):
            replay._look_at(self.folder, ["a.trace", "b/a.trace"])

    def test_committed_traces_are_described(self):
        text = (replay.TRACES / "README.md").read_text(encoding="utf-8")
        names = {path.stem for path in pathlib.Path(replay.TRACES).glob("*.trace")}
        self.assertEqual({name for name in names if f"| `{name}` " not in text}, set())
        self.assertTrue(names)


if __name__ == "__main__":
    unittest.main()
