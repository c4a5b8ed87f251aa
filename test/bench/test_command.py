# SPDX-License-Identifier: MIT
"""The command scripts/bench: its options, what it refuses at once, and that no run is lost."""

import contextlib
import io
import json
import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from report import files, peers  # noqa: E402
from runner import allocators, compare, document, main, options, rounds, suites  # noqa: E402
from runner.suites import base  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)


class Options(unittest.TestCase):
    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            options.parse(arguments)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue().splitlines()[-1]

    def test_what_is_chosen(self):
        usual = options.parse([])
        self.assertEqual((usual.length, usual.suites, usual.out),
                         ("full", list(suites.SUITES), options.REPORTS))
        quick = options.parse(["--quick", "--suite", "memory", "--suite", "calls", "--out", "x"])
        self.assertEqual((quick.length, quick.suites, quick.out),
                         ("quick", ["calls", "memory"], pathlib.Path("x")))

    def test_a_comparison_leaves_the_figures_of_the_last_run(self):
        chosen = options.parse(["--compare", "HEAD"])
        self.assertEqual(chosen.out, options.REPORTS / "compare")
        self.assertEqual(set(suites.SUITES) - set(chosen.suites), {"pool"})

    def test_mistakes(self):
        self.assertIn("from 1 on", self.refused("--rounds", "0"))
        self.assertIn("pool has no figures", self.refused("--compare", "HEAD", "--suite", "pool"))
        self.assertIn("pool has no", self.refused("--compare", "HEAD", "--suite", "pool", "--suite",
                                                  "calls"))
        self.assertIn("chooses the allocators", self.refused("--compare", "HEAD", "--allocators", "a"))
        self.assertIn("judges no goals", self.refused("--compare", "HEAD", "--agrees-with", "x"))
        self.assertIn("No such file", self.refused("--agrees-with", "/no/such.json"))
        self.assertIn("not allowed with", self.refused("--quick", "--smoke"))


class Refusals(Folder):
    def setUp(self):
        super().setUp()
        (self.folder / "bench").mkdir()
        for program in ("bench_calls", "bench_startup"):
            (self.folder / "bench" / program).touch()

    def refused(self, *arguments):
        chosen = options.parse(["--build-dir", str(self.folder), "--out", str(self.folder / "out"),
                                *arguments])
        said = io.StringIO()
        with contextlib.redirect_stderr(said), mock.patch.object(rounds.Campaign, "run") as ran:
            status = main.run(chosen)
        ran.assert_not_called()
        lines = said.getvalue().splitlines()
        self.assertEqual((status, len(lines)), (2, 1), lines)
        return lines[0]

    def test_a_folder_that_cannot_be_written(self):
        self.assertIn("--out: /proc/x", self.refused("--out", "/proc/x"))
        file = str(self.folder / "bench" / "bench_calls")
        self.assertIn(f"--out: {file}: File exists", self.refused("--out", file))

    def test_programs_that_are_not_there(self):
        startup = ("--suite", "startup", "--allocators")
        self.assertIn("no bench/bench_threads",
                      self.refused("--suite", "threads", "--allocators", "glibc"))
        self.assertIn("no bench/bench_calls_linked",
                      self.refused("--suite", "calls", "--allocators", "linked"))
        self.assertIn("no /no/such.so", self.refused(*startup, "x=/no/such.so"))
        self.assertIn("unknown allocator ''", self.refused(*startup, ""))

    def test_a_comparison_without_a_library_or_a_revision(self):
        with mock.patch.object(compare, "build", side_effect=AssertionError):
            self.assertIn("spillway: no ", self.refused("--compare", "HEAD", "--suite", "startup"))
        (self.folder / "libspillway.so").touch()
        self.assertIn("no revision 'none'", self.refused("--compare", "none", "--suite", "startup"))


class Saved(Folder):
    """The figures are written even when what comes after them fails."""

    def run_with(self, **columns):
        def filled(campaign, *_):
            campaign.rows, campaign.done = {"slope/kib_per_thread": columns}, {"memory": 5}
            campaign.units = {"slope/kib_per_thread": "KiB"}

        (self.folder / "bench").mkdir()
        (self.folder / "bench" / "bench_memory").touch()
        chosen = options.parse(["--build-dir", str(self.folder), "--out", str(self.folder),
                                "--suite", "memory", "--allocators", "glibc"])
        self.said = io.StringIO()
        with contextlib.redirect_stderr(self.said), contextlib.redirect_stdout(io.StringIO()), \
                mock.patch.object(rounds.Campaign, "run", filled):
            return main.run(chosen)

    def rows(self):
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))["rows"]

    def test_without_numpy(self):
        with mock.patch.dict(sys.modules, {"numpy": None}):
            self.assertEqual(self.run_with(glibc=[1.0] * 5), 1)
        self.assertIn("python3-numpy", self.said.getvalue())
        self.assertEqual(len(self.said.getvalue().splitlines()), 1)
        self.assertEqual(self.rows()["slope/kib_per_thread"]["glibc"]["rounds"], [1.0] * 5)
        self.assertFalse((self.folder / "report.html").exists())

    def test_an_interrupt_while_the_goals_are_judged(self):
        with mock.patch.object(main.verdicts, "judge_all", side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            self.run_with(glibc=[1.0] * 5)
        self.assertIn("slope/kib_per_thread", self.rows())

    def test_a_full_disk_is_one_line(self):
        full = OSError(28, "No space left on device", "/x/report.json")
        with mock.patch.object(document, "write", side_effect=full):
            self.assertEqual(self.run_with(glibc=[1.0] * 5), 1)
        self.assertEqual(self.said.getvalue(), "bench: /x/report.json: No space left on device\n")

    def test_goals_get_the_noise_of_the_machine(self):
        with mock.patch.object(main.noise, "min_difference", return_value=0.25), \
                mock.patch.object(main.verdicts, "judge_all", return_value=[]) as judged:
            self.run_with(glibc=[1.0] * 5)
        _, figures, share = judged.call_args.args
        self.assertEqual((figures.times, share), (frozenset(), 0.25))

    def test_a_slope_below_zero(self):
        self.run_with(spillway=[-2.0, -1.0, -3.0, -2.5, -0.5], glibc=[4.0] * 5)
        self.assertIn("slope/kib_per_thread", self.rows())
        page = (self.folder / "report.html").read_text(encoding="utf-8")
        self.assertIn("slope/kib_per_thread", page)


class Processes(Folder):
    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(suites.SuiteFailed, "/no/such: No such file"):
            base.run_json([pathlib.Path("/no/such")], {})

    def test_one_that_hangs_takes_its_children_along(self):
        file = self.folder / "pid"
        file.touch()
        script = f"sleep 100000 & echo $! > {file}; wait"
        timeout = 0.5
        while not file.read_text(encoding="utf-8"):  # killed before it had a child
            timeout *= 2
            with self.assertRaisesRegex(suites.SuiteFailed, "no end after"):
                base.run_json(["/bin/sh", "-c", script], dict(os.environ), timeout=timeout)
        child = int(file.read_text(encoding="utf-8"))
        self.assertTrue(ended(child), "the child lives on")

    def test_so_does_an_interruption(self):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
        self.addCleanup(signal.signal, signal.SIGINT, before)
        file = self.folder / "pid"
        # Once this process waits for it.
        asleep = f"grep -q '^State:.S' /proc/{os.getpid()}/status"
        script = f"sleep 100000 & echo $! > {file}; until {asleep}; do :; done; "
        script += f"kill -INT {os.getpid()}; wait"
        with self.assertRaises(KeyboardInterrupt):
            base.run_json(["/bin/sh", "-c", script], dict(os.environ))
        self.assertTrue(ended(int(file.read_text(encoding="utf-8"))), "the child lives on")

    def test_what_it_says_when_it_fails(self):
        for script, words in (("echo why >&2; exit 3", "status 3: why"), ("kill -9 $$", "signal 9"),
                              ("echo no", "not JSON")):
            with self.assertRaisesRegex(suites.SuiteFailed, words):
                base.run_json(["/bin/sh", "-c", script], dict(os.environ))
        self.assertEqual(base.run_json(["/bin/echo", "[1]"], {}), [1])


def ended(pid):
    """Whether the process ends before the test counts as hung; one that is still to be waited for has."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        try:
            status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return True
        if status.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return False


class Files(Folder):
    def test_whole_or_not_at_all(self):
        path = self.folder / "report.json"
        files.write(path, "old")
        with self.assertRaises(UnicodeEncodeError):
            files.write(path, "new \ud800")
        self.assertEqual(path.read_text(encoding="utf-8"), "old")
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_a_folder_that_can_be_written_is_left_empty(self):
        files.prepare(self.folder / "a" / "b")
        self.assertEqual(list((self.folder / "a" / "b").iterdir()), [])

    def test_a_document_replaces_the_old_one(self):
        path = self.folder / "report.json"
        document.write(path, {"a": 1})
        document.write(path, {"a": 2})
        self.assertEqual(json.loads(path.read_text(encoding="utf-8")), {"a": 2})


class Peers(Folder):
    def test_a_library_is_of_its_package_or_local(self):
        file, package = peers.DEBIAN["glibc"]
        library = peers.system_library(file)
        self.assertRegex(peers.library_version(library, package), r"^\d+\.\d+")
        copy = self.folder / file
        copy.write_bytes(b"")
        self.assertEqual(peers.library_version(copy, package), "local")
        self.assertEqual(peers.library_version(library, "no-such-package"), "local")
        self.assertEqual(peers.library_version(self.folder / "gone.so", package), "local")
        link = self.folder / "link"
        link.mkdir()
        (link / file).symlink_to(library)
        self.assertEqual(peers.library_version(link / file, package),
                         peers.library_version(library, package))

    def test_a_library_of_another_machine_is_passed_over(self):
        foreign = self.folder / "libc.so.6"
        foreign.write_bytes(b"\x7fELF\x01" + bytes(64))
        own = str(peers.system_library("libc.so.6"))
        lines = [f"\tlibc.so.6 (libc6) => {foreign}", f"\tlibc.so.6 (libc6,x86-64) => {own}"]
        with mock.patch.object(peers, "_lines", return_value=lines):
            self.assertEqual(str(peers.system_library("libc.so.6")), own)
            self.assertIsNone(peers.system_library("libc.so"))

    def test_without_the_tools_of_debian(self):
        with mock.patch.object(peers.subprocess, "run", side_effect=FileNotFoundError):
            self.assertIsNone(peers.system_library("libc.so.6"))
            found, left_out = allocators.find(None, self.folder)
        self.assertEqual([(one.name, one.version) for one in found], [("glibc", "unknown")])
        self.assertEqual(len(left_out), len(allocators.DEFAULT) - 1)


if __name__ == "__main__":
    unittest.main()
