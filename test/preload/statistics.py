#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""statistics.py LIBRARY PROGRAM: statistics at exit leave the program alone. PROGRAM is `statistics_guest`.

Each case compares how the program ends with and without the option, and says where the report is. Times are only
bounds after which a program counts as hung.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

LIBRARY, PROGRAM = sys.argv[1:3]
HUNG = 60  # seconds
BEGINNINGS = {"text": b"spillway: statistics\n", "json": b'{"program": ', "prometheus": b"# HELP spillway_build_info "}
STATUS_OF_A_SKIP = 77


def environment(stats="text", file=None, **options):
    result = {"PATH": os.environ["PATH"], "LD_PRELOAD": LIBRARY}
    if stats:
        result["SPILLWAY_STATS"] = stats
    if file:
        result["SPILLWAY_STATS_FILE"] = str(file)
    return result | {f"SPILLWAY_{name.upper()}": value for name, value in options.items()}


def run(*arguments, stats="text", file=None, options=None, program=PROGRAM, **settings):
    """What subprocess.run() returns, output captured unless `settings` say other."""
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": HUNG} | settings
    return subprocess.run([program, *map(str, arguments)], env=environment(stats, file, **(options or {})), **settings)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spillway_statistics_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def assert_ends_as_without(self, *arguments, stats="text", file=None, **settings):
        """The program's result with statistics; its status is the same without."""
        without = run(*arguments, stats=None, **settings)
        done = run(*arguments, stats=stats, file=file, **settings)
        if STATUS_OF_A_SKIP in (without.returncode, done.returncode):
            self.skipTest(done.stdout.decode().strip())
        self.assertEqual(done.returncode, without.returncode)
        self.assertEqual(done.stdout, without.stdout)
        return done

    def assert_reports(self, text, count=1, stats="text"):
        self.assertEqual(text.count(BEGINNINGS[stats]), count, text[:500])
        if stats == "json" and count == 1:
            json.loads(text)


class Formats(Case):
    def test_json_is_as_its_schema_says(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((pathlib.Path(__file__).parents[2] / "alloc/stats/statistics.schema.json").read_text())
        for settings in ({}, {"options": {"enabled": "0"}}, {"options": {"hardened": "1"}}):
            for file in (None, self.path("report")):
                done = run("plain", stats="json", file=file, **settings)
                found = json.loads(self.content("report") if file else done.stderr)
                jsonschema.validate(found, schema)
                self.assertEqual(found["program"], os.path.basename(PROGRAM))
                self.assertEqual(found["process_resident_bytes"] is None, file is None)

    def test_each_on_stderr(self):
        for stats in BEGINNINGS:
            done = self.assert_ends_as_without("exit_status", 3, stats=stats)
            self.assertEqual(done.returncode, 3)
            self.assert_reports(done.stderr, stats=stats)

    def test_each_in_a_file(self):
        for stats in BEGINNINGS:
            done = self.assert_ends_as_without("exit_status", 3, stats=stats, file=self.path(stats))
            self.assertEqual(done.stderr, b"")
            self.assert_reports(self.content(stats), stats=stats)


class Descriptors(Case):
    def assert_data_is_untouched(self, count):
        names = sorted(os.listdir(self.folder))
        self.assertEqual(len(names), count)
        for name in names:
            self.assertEqual(self.content(name), b"DATA", name)

    def test_files_that_took_closed_numbers_are_untouched(self):
        for situation, reported in (("close_from", 1), ("close_everything", 0), ("close_range_all", 0)):
            for stats in BEGINNINGS:
                done = self.assert_ends_as_without(situation, self.folder, stats=stats)
                self.assert_reports(done.stderr, reported, stats=stats)
                self.assert_data_is_untouched(300)

    def test_a_file_that_stderr_became_gets_no_message_either(self):
        self.assert_ends_as_without("close_everything", self.folder, file=self.path("nowhere/at/all"))
        self.assert_data_is_untouched(300)

    def test_a_handler_that_closes_stderr_comes_after_the_report(self):
        for stats in BEGINNINGS:
            self.assert_reports(self.assert_ends_as_without("close_at_exit", stats=stats).stderr, stats=stats)

    def test_a_handler_that_reopens_stderr(self):
        self.assert_reports(self.assert_ends_as_without("reopen_at_exit", self.path("data")).stderr)
        self.assertEqual(self.content("data"), b"DATA")

    def test_programs_that_close_stderr(self):
        for program in ("sort", "ls", "grep", "sed"):
            arguments = ["-n", "/dev/null"] if program == "sort" else ["--version"]
            self.assert_reports(self.assert_ends_as_without(*arguments, program=program).stderr)

    def test_a_file_without_standard_streams(self):
        self.assert_ends_as_without("close_standard", file=self.path("report"))
        self.assert_reports(self.content("report"))

    def test_no_stderr_from_the_start(self):
        for situation in (("plain",), ("close_from", self.folder)):
            done = self.assert_ends_as_without(*situation, stderr=None, preexec_fn=lambda: os.close(2))
            self.assertEqual(done.returncode, 0)
        self.assert_data_is_untouched(300)

    def test_nothing_is_kept_open(self):
        command = ["sh", "-c", "ls /proc/self/fd"]
        self.assertEqual(*(subprocess.run(command, env=environment(stats), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          timeout=HUNG, check=True).stdout for stats in (None, "text")))


class LivingOn(Case):
    """The reader of a pipe that the program let go of comes to its end, while the program lives."""

    def test_pipes_end(self):
        fifo = self.path("release")
        os.mkfifo(fifo)
        release = os.open(fifo, os.O_RDWR)  # for both, so that opening it waits for nothing
        self.addCleanup(os.close, release)
        for situation in ("become_daemon", "fork_twice", "clone_daemon", "close_and_live"):
            for file in (None, self.path("report.%p")):
                with self.subTest(situation, file=file):
                    child = subprocess.Popen([PROGRAM, situation, fifo], env=environment(file=file),
                                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                    self.addCleanup(child.stdout.close)
                    ended = threading.Event()
                    reader = threading.Thread(target=lambda: (child.stdout.read(), ended.set()), daemon=True)
                    reader.start()
                    self.assertTrue(ended.wait(HUNG / 2), "the pipe is held open")
                    os.write(release, b"x")
                    self.assertEqual(child.wait(HUNG), 0)


class Children(Case):
    def test_a_forked_child_keeps_silent(self):
        for situation in ("fork_child", "fork_bare", "fork_and_end_first"):
            for stats in BEGINNINGS:
                self.assert_reports(self.assert_ends_as_without(situation, stats=stats).stderr, stats=stats)

    def test_a_forked_child_leaves_its_parents_file_alone(self):
        self.assert_ends_as_without("fork_child", file=self.path("report"))
        self.assert_reports(self.content("report"))

    def test_a_file_for_each_process(self):
        self.assert_ends_as_without("fork_child", file=self.path("report.%p"))
        names = os.listdir(self.folder)
        self.assertEqual(len(names), 2)
        for name in names:
            self.assert_reports(self.content(name))

    def test_a_program_that_was_executed_reports(self):
        self.assert_reports(self.assert_ends_as_without("vfork_and_exec", PROGRAM).stderr, 2)

    def test_subshells(self):
        script = f"(exit 3); ({PROGRAM} plain); {PROGRAM} plain & wait; exit 5"
        done = self.assert_ends_as_without("-c", script, program="bash")
        self.assertEqual(done.returncode, 5)
        self.assert_reports(done.stderr, 3)


class Threads(Case):
    def test_another_thread_ends_the_process(self):
        done = self.assert_ends_as_without("exit_in_thread")
        self.assertEqual(done.returncode, 7)
        self.assert_reports(done.stderr)

    def test_main_ends_before_the_process(self):
        self.assert_reports(self.assert_ends_as_without("end_main_first").stderr)


class Readers(Case):
    """What is at the other end of stderr, or of stats_file."""

    @contextlib.contextmanager
    def pipe_of(self, full, flags=0):
        reading, writing = os.pipe()
        try:
            if full:
                os.set_blocking(writing, False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        os.write(writing, bytes(512))
            fcntl.fcntl(writing, fcntl.F_SETFL, flags)
            yield reading, writing
        finally:
            os.close(writing)
            with contextlib.suppress(OSError):
                os.close(reading)

    def test_a_reader_that_went_away(self):
        for stats in BEGINNINGS:
            with self.pipe_of(full=False) as (reading, writing):
                os.close(reading)
                self.assertEqual(self.assert_ends_as_without("exit_status", 3, stats=stats, stderr=writing).returncode, 3)

    def test_a_reader_that_does_not_read(self):
        for flags in (0, os.O_NONBLOCK):
            with self.pipe_of(full=True, flags=flags) as (_, writing):
                self.assertEqual(self.assert_ends_as_without("plain", stats="prometheus", stderr=writing).returncode, 0)

    def test_a_reader_that_reads_on_a_non_blocking_pipe(self):
        with self.pipe_of(full=False, flags=os.O_NONBLOCK) as (reading, writing):
            run("plain", stats="json", stderr=writing)
            self.assert_reports(os.read(reading, 65536), stats="json")

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.assert_ends_as_without("plain", stderr=full).returncode, 0)
        self.assertEqual(self.assert_ends_as_without("plain", file="/dev/full").stderr, b"")

    def test_a_fifo_without_a_reader(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        message = f"spillway: option stats_file: cannot write '{fifo}'\n".encode()
        self.assertEqual(self.assert_ends_as_without("plain", file=fifo).stderr, message)

    def test_a_fifo_with_a_reader(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        self.assert_ends_as_without("plain", stats="json", file=fifo)
        self.assert_reports(os.read(reading, 65536), stats="json")

    def test_a_path_that_cannot_be_opened(self):
        done = self.assert_ends_as_without("plain", file=self.path("no/such/folder"))
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertIn(b"cannot write", done.stderr)

    def test_a_terminal_that_stops_background_processes(self):
        """A session of its own: the program in the background, `stty tostop`."""
        shell, controller = pty.fork()
        if shell == 0:
            status = 1
            with contextlib.suppress(Exception):
                settings = termios.tcgetattr(2)
                settings[3] |= termios.TOSTOP
                termios.tcsetattr(2, termios.TCSANOW, settings)
                child = subprocess.Popen([PROGRAM, "plain"], env=environment(), preexec_fn=lambda: os.setpgid(0, 0))
                _, how = os.waitpid(child.pid, os.WUNTRACED)
                if os.WIFSTOPPED(how):
                    os.kill(child.pid, signal.SIGKILL)
                status = 0 if os.WIFEXITED(how) and os.WEXITSTATUS(how) == 0 else 2
            os._exit(status)
        text = b""
        with contextlib.suppress(OSError):
            while part := os.read(controller, 4096):
                text += part
        os.close(controller)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1]), 0)
        self.assertIn(b"spillway: statistics", text)


class Limits(Case):
    def test_no_file_size(self):
        for stats in BEGINNINGS:
            with open(self.path("error"), "wb") as error:
                self.assertEqual(self.assert_ends_as_without("no_file_size", stats=stats, stderr=error).returncode, 0)
            self.assertEqual(self.content("error"), b"")
            self.assert_ends_as_without("no_file_size", stats=stats, file=self.path("report"))

    def test_a_file_size_that_the_report_exceeds(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        with open(self.path("error"), "wb") as error:
            self.assertEqual(self.assert_ends_as_without("plain", stderr=error, preexec_fn=limit).returncode, 0)
        self.assertEqual(len(self.content("error")), 100)

    def test_no_descriptors(self):
        self.assert_reports(self.assert_ends_as_without("no_descriptors").stderr)
        self.assert_ends_as_without("no_descriptors", file=self.path("report"))

    def test_sandboxes(self):
        for stats in (None, *BEGINNINGS):
            done = self.assert_ends_as_without("sandbox", stats=stats)
            self.assertEqual(done.returncode, 0)
            self.assert_reports(done.stderr, 1 if stats else 0, stats=stats or "text")
            self.assertEqual(self.assert_ends_as_without("strict_sandbox", stats=stats).returncode, 0)


class Misuse(Case):
    """The same of the lines that misuse is worth."""

    def misuse(self, situation="free_twice", argument="3", **settings):
        return run(situation, argument, stats=None, options={"on_misuse": "report"}, **settings)

    def test_lines(self):
        done = self.misuse()
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count(b"spillway: double free of "), 3)

    def test_stderr_closed(self):
        self.assertEqual(self.misuse(stderr=None, preexec_fn=lambda: os.close(2)).returncode, 0)

    def test_a_reader_that_went_away(self):
        reading, writing = os.pipe()
        os.close(reading)
        self.assertEqual(self.misuse(stderr=writing).returncode, 0)
        os.close(writing)

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.misuse(stderr=full).returncode, 0)

    def test_no_file_size(self):
        with open(self.path("error"), "wb") as error:
            self.assertEqual(self.misuse("limited_free_twice", stderr=error).returncode, 0)
        self.assertEqual(self.content("error"), b"")

    def test_a_reader_that_does_not_read(self):
        """The first line waits a while; a thousand of them don't add up."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(512))
        os.set_blocking(writing, True)
        self.assertEqual(self.misuse(argument="1000", stderr=writing).returncode, 0)
        os.close(reading)
        os.close(writing)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
