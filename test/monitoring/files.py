#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""files.py LIBRARY PROGRAM: stats_file while a program runs. PROGRAM is `monitoring_holder`."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from holders import HUNG, environment, holder, wait_until  # noqa: E402

LIBRARY, PROGRAM = sys.argv[1:3]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway_files_"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_holder(self, count, *arguments, stats="json", file="stats.json", interval=1, pids=1):
        options = {"stats": stats, "stats_file": self.folder / file, "stats_interval": interval}
        return holder(LIBRARY, PROGRAM, count, *arguments, pids=pids, **options)

    def read(self, name="stats.json"):
        with open(self.folder / name, encoding="utf-8") as file:
            return json.load(file)

    def live(self, statistics):
        return next(one["live"] for one in statistics["classes"] if one["block_size"] == 327680)


class Interval(Case):
    def test_it_is_there_while_the_program_runs_and_says_whose_it_is(self):
        before = time.time()
        with self.run_holder(37) as (process, (pid,)):
            wait_until((self.folder / "stats.json").exists, "the file")
            wait_until(lambda: self.live(self.read()) == 37, "the blocks in it")
            found = self.read()
            self.assertEqual(pid, process.pid)
            self.assertEqual((found["program"], found["pid"]), (os.path.basename(PROGRAM), pid))
            self.assertRegex(found["version"], r"^\d+\.\d+\.\d+$")
            self.assertLess(before - 1, found["start_time"])
            self.assertLessEqual(found["start_time"], found["time"])
            self.assertLess(found["time"], time.time() + 1)
            again = wait_until(lambda: (now := self.read())["time"] > found["time"] and now, "the next one")
            self.assertEqual(again["start_time"], found["start_time"])
        self.assertEqual((process.returncode, process.complaints), (0, ""))
        self.assertGreater(self.read()["time"], again["time"])  # at exit, too
        self.assertEqual(os.listdir(self.folder), ["stats.json"])

    def test_a_reader_finds_a_whole_file_at_any_time(self):
        with self.run_holder(5):
            wait_until((self.folder / "stats.json").exists, "the file")
            files = set()
            while len(files) < 4:
                with open(self.folder / "stats.json", "rb") as file:
                    files.add(os.fstat(file.fileno()).st_ino)
                    self.assertEqual(json.load(file)["pid"] > 0, True)
        # A file that was replaced is another one: an old reader keeps what it had.
        self.assertGreaterEqual(len(files), 2)

    def test_a_process_that_is_killed_leaves_the_last_one(self):
        with self.run_holder(7) as (process, _):
            wait_until(lambda: (self.folder / "stats.json").exists() and self.live(self.read()) == 7, "the blocks")
            process.send_signal(signal.SIGKILL)
        self.assertEqual(self.live(self.read()), 7)

    def test_each_process_its_own_file(self):
        with self.run_holder(3, "fork", file="stats.%p", pids=2) as (_, pids):
            for pid in pids:
                name = f"stats.{pid}"
                wait_until((self.folder / name).exists, name)
                self.assertEqual(self.read(name)["pid"], pid)
        parent, child = (self.read(f"stats.{pid}") for pid in pids)
        self.assertGreater(child["start_time"], parent["start_time"])  # its heap began with the fork

    def test_without_a_place_for_the_process_a_child_writes_nothing(self):
        with self.run_holder(3, "fork", pids=2) as (_, (parent, _child)):
            wait_until((self.folder / "stats.json").exists, "the file")
            time.sleep(2.5)
            self.assertEqual(self.read()["pid"], parent)
        self.assertEqual(self.read()["pid"], parent)

    def test_the_program_has_no_thread_or_descriptor_that_it_can_see(self):
        with self.run_holder(3) as (_, (pid,)):
            wait_until((self.folder / "stats.json").exists, "the file")
            for _ in range(50):
                self.assertEqual(sorted(os.listdir(f"/proc/{pid}/fd"), key=int), ["0", "1", "2"])
                time.sleep(0.01)


class Places(Case):
    """What is no regular file stays what it is."""

    def test_a_symbolic_link(self):
        os.symlink("elsewhere.json", self.folder / "stats.json")
        with self.run_holder(1):
            wait_until((self.folder / "elsewhere.json").exists, "the file")
        self.assertTrue((self.folder / "stats.json").is_symlink())
        self.assertEqual(self.live(self.read("elsewhere.json")), 1)

    def test_a_fifo(self):
        fifo = self.folder / "stats.json"
        os.mkfifo(fifo)
        texts = []
        reader = threading.Thread(target=lambda: texts.append(fifo.read_bytes()), daemon=True)
        reader.start()
        with self.run_holder(1):
            reader.join(HUNG)
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))
        self.assertEqual(json.loads(texts[0])["program"], os.path.basename(PROGRAM))

    def test_a_device(self):
        with holder(LIBRARY, PROGRAM, 1, stats="text", stats_file="/dev/null", stats_interval=1):
            time.sleep(0.3)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_a_folder_that_is_not_there_is_told_at_the_end(self):
        with self.run_holder(1, file="no/such/stats.json") as (process, _):
            pass
        self.assertEqual(process.returncode, 0)
        path = re.escape(str(self.folder / "no/such/stats.json"))
        self.assertRegex(process.complaints, f"^spillway: option stats_file: cannot write '{path}'\n$")

    def test_a_file_that_does_not_fit_leaves_the_old_one(self):
        (self.folder / "stats.json").write_text("old")
        options = environment(LIBRARY, stats="json", stats_file=self.folder / "stats.json", stats_interval=1)
        done = subprocess.run([PROGRAM, "1"], env=options, stdin=subprocess.DEVNULL, capture_output=True, timeout=HUNG,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        self.assertEqual(done.returncode, 0)
        self.assertEqual((self.folder / "stats.json").read_text(), "old")
        self.assertEqual(os.listdir(self.folder), ["stats.json"])


class Options(Case):
    def lines(self, **options):
        return subprocess.run([PROGRAM, "1"], env=environment(LIBRARY, **options), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=HUNG, check=True).stderr.splitlines()

    def test_it_needs_a_format_and_a_file(self):
        line = ["spillway: option stats_interval: needs stats and stats_file; using none"]
        self.assertEqual(self.lines(stats_interval=1), line)
        self.assertEqual(self.lines(stats_interval=1, stats_file=self.folder / "file"), line)
        self.assertEqual(self.lines(stats_interval=1, stats="json")[:1], line)
        self.assertEqual(os.listdir(self.folder), [])

    def test_bounds(self):
        for value in ("0", "x", "31536001"):
            lines = self.lines(stats_interval=value, stats="json", stats_file=self.folder / "file")
            self.assertEqual(len(lines), 1)
            self.assertIn("option stats_interval: ", lines[0])


class Names(Case):
    """A program may have any name."""

    def test_any_byte_of_a_name(self):
        name = b'a "\\\n\xff\xc3\xbc'
        path = os.path.join(os.fsencode(self.folder), name)
        shutil.copy(PROGRAM, path)
        for stats in ("json", "prometheus", "text"):
            file = self.folder / "stats"
            subprocess.run([path, b"1"], env=environment(LIBRARY, stats=stats, stats_file=file), check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=HUNG)
            text = file.read_bytes().decode("utf-8")
            if stats == "json":
                self.assertEqual(json.loads(text)["program"], 'a "\\\n\ufffdü')
            elif stats == "prometheus":
                self.assertIn('{program="a \\"\\\\\\n\ufffdü",pid="', text)
            else:
                self.assertRegex(text.splitlines()[1], '^  program .* a "\\\\\\?\ufffdü$')


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
