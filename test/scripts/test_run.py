# SPDX-License-Identifier: MIT
"""`spillway run` and `spillway check`, with a stand-in library."""

import os
import shutil
import signal
import subprocess
import sys
import unittest

import support
from spillway_cli import check
from spillway_cli.process import mapped_files
from spillway_cli.run import preload_environment, without_library


class Environment(unittest.TestCase):
    def test_first_in_the_list_and_once(self):
        made = preload_environment({"LD_PRELOAD": "/a.so /s.so:/b.so", "X": "1"}, "/s.so")
        self.assertEqual(made, {"LD_PRELOAD": "/s.so:/a.so:/b.so", "X": "1"})

    def test_options(self):
        made = preload_environment({"SPILLWAY_CONF": "a:1"}, "/s.so", ["b:2,c:3", "d:4"], "json")
        self.assertEqual(made["SPILLWAY_CONF"], "a:1,b:2,c:3,d:4")
        self.assertEqual(made["SPILLWAY_STATS"], "json")

    def test_without_the_library(self):
        made = without_library({"LD_PRELOAD": "/s.so:/a.so /b.so", "X": "1"}, "/s.so")
        self.assertEqual(made, {"LD_PRELOAD": "/a.so:/b.so", "X": "1"})
        self.assertEqual(without_library({"LD_PRELOAD": "/s.so"}, "/s.so"), {})
        self.assertEqual(without_library({}, "/s.so"), {})


class Run(support.WithFolder):
    def setUp(self):
        super().setUp()
        self.lib = self.library("libspillway")

    def run_it(self, *command, options=(), **more):
        return support.spillway("run", "--lib", self.lib, *options, "--", *command, **more)

    def test_output_and_status_are_the_programs(self):
        done = self.run_it("sh", "-c", "cat; echo to-stderr >&2; exit 7", input="hello")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("hello", "to-stderr\n", 7))

    def test_a_program_that_is_killed(self):
        self.assertEqual(self.run_it("sh", "-c", "kill -TERM $$").returncode, -signal.SIGTERM)

    def test_the_program_ignores_no_signal_that_we_do_not(self):
        done = self.run_it("grep", "SigIgn", "/proc/self/status")
        self.assertEqual(done.stdout, support.ignored_signals())

    def test_a_reader_that_leaves_ends_the_program(self):
        line = f"{support.SCRIPT} run --lib {self.lib} -- yes | head -n 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, check=True, timeout=support.HANG_SECONDS
        )  # fmt: skip
        self.assertEqual((done.stdout, done.stderr), (f"y\n{128 + signal.SIGPIPE}\n", ""))

    def test_signals_reach_the_program(self):
        command = [support.SCRIPT, "run", "--lib", self.lib, "--"]
        command += ["sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.terminate()
            self.assertEqual(process.wait(timeout=support.HANG_SECONDS), 5)

    def test_the_library_is_mapped(self):
        self.assertIn(str(self.lib), self.run_it("cat", "/proc/self/maps").stdout)

    def test_options_reach_the_library(self):
        done = self.run_it("env", options=("--stats=json", "--conf", "a:1", "--conf", "b:2,c:3"))
        self.assertIn("SPILLWAY_STATS=json\n", done.stdout)
        self.assertIn("SPILLWAY_CONF=a:1,b:2,c:3\n", done.stdout)

    def print_preload(self, *options):
        """A program that prints LD_PRELOAD, and what run says before it."""
        source = self.folder / "print.c"
        source.write_text(
            '#include <stdio.h>\n#include <stdlib.h>\n'
            'int main(void) { char* p = getenv("LD_PRELOAD"); puts(p ? p : "none"); return 6; }\n',
            encoding="utf-8",
        )
        self.compile(source, self.folder / "print", *options)
        done = self.run_it(self.folder / "print")
        self.assertEqual(done.returncode, 6)
        return done.stdout.strip(), done.stderr

    def test_a_program_that_the_library_would_harm_runs_without_it(self):
        stub = self.stub("libasan.so.8")
        found, said = self.print_preload(f"-Wl,-rpath,{self.folder}", "-Wl,--no-as-needed", stub)
        self.assertEqual(found, "none")
        self.assertRegex(said, "^spillway: warning: .* without Spillway: .*-fsanitize=address.*\n$")

    def test_a_static_program_passes_the_library_on(self):
        found, said = self.print_preload("-static")
        self.assertEqual(found, str(self.lib))
        self.assertRegex(said, "^spillway: warning: runs without Spillway: .* statically linked\n$")

    def test_what_cannot_be_started(self):
        self.assertEqual(self.run_it("no-such-command").returncode, 127)
        self.assertEqual(self.run_it("/etc/passwd").returncode, 126)

    def test_check_of_a_library_that_does_not_load(self):
        source = self.folder / "bad.c"
        source.write_text("void absent(void);\nvoid f(void) { absent(); }\n", encoding="utf-8")
        needed = self.folder / "libabsent.so"
        self.compile(source, needed, "-shared", "-fPIC")
        bad = self.folder / "bad.so"
        self.compile(source, bad, "-shared", "-fPIC", "-Wl,--no-as-needed", str(needed))
        needed.unlink()
        done = support.spillway("check", "--lib", bad)
        self.assertRegex(done.stdout, "NO: .*libabsent")
        self.assertEqual(done.returncode, 1)

    def test_the_watcher_tells_who_runs_without(self):
        look = "import sys; from spillway_cli import watch; "
        look += "watch.look_for(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))"
        warning = "spillway: warning: process "
        for library, patience, expected in ((None, 1000, ""), (self.lib, 0.2, warning)):
            with support.waiting_process() as process:
                library = library or next(
                    path for path in mapped_files(process.pid) if "libc" in path
                )
                done = subprocess.run(
                    [sys.executable, "-B", "-c", look, library, str(process.pid), str(patience)],
                    cwd=support.ROOT / "scripts", capture_output=True, text=True, check=True,
                    timeout=support.HANG_SECONDS,
                )  # fmt: skip
            self.assertTrue(done.stderr.startswith(expected), done.stderr)
            self.assertEqual(bool(done.stderr), bool(expected))

    def test_check_of_a_process(self):
        runner = support.SCRIPT, "run", "--lib", self.lib, "--"
        environment = dict(os.environ, SPILLWAY_VERBOSE="0")
        with support.waiting_process(*runner, env=environment) as process:
            done = support.spillway("check", process.pid)
        self.assertIn("YES: Spillway is the allocator", done.stdout)
        self.assertIn("SPILLWAY_VERBOSE=0", done.stdout)
        self.assertEqual(done.returncode, 0)

    def test_check_of_a_process_without(self):
        with support.waiting_process() as process:
            done = support.spillway("check", process.pid)
        self.assertIn("NO: not started with Spillway; malloc is that of ", done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_check_of_another_allocator_ahead(self):
        other = self.folder / "other.so"
        shutil.copy(self.lib, other)
        variables = dict(os.environ, LD_PRELOAD=f"{other}:{self.lib}")
        with support.waiting_process(env=variables) as process:
            done = support.spillway("check", process.pid)
        self.assertIn(f"NO: Spillway is mapped, but malloc is that of {other}", done.stdout)

    def test_check_of_the_library(self):
        done = support.spillway("check", "--lib", self.lib)
        self.assertIn("YES:", done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertIsNone(check.probe(self.lib))


class Mistakes(support.WithFolder):
    def test_each_is_one_line_and_a_status(self):
        spaced = self.folder / "a b"
        spaced.mkdir()
        in_space = shutil.copy("/lib/x86_64-linux-gnu/libc.so.6", spaced) if os.path.exists(
            "/lib/x86_64-linux-gnu/libc.so.6") else None  # fmt: skip
        cases = [
            (("run",), 2, "no command"),
            (("run", "--conf", "x", "--", "true"), 2, "no colon"),
            (("run", "--lib", "/no/lib.so", "--", "true"), 1, "no such library"),
            (("run", "--lib", "/etc/passwd", "--", "true"), 1, "not an ELF library"),
            (("check", "--lib", "/no/lib.so"), 1, "no such library"),
            (("check", "999999999"), 1, "no process"),
            (("check", "--", "true"), 2, "check: takes no command"),
            (("options", "--", "true"), 2, "options: takes no command"),
            (("classes", "--", "true"), 2, "classes: takes no command"),
        ]
        if in_space:
            cases.append((("run", "--lib", in_space, "--", "true"), 1, "space or colon"))
        for arguments, status, words in cases:
            with self.subTest(arguments=arguments):
                done = support.spillway(*arguments)
                self.assertEqual(done.returncode, status)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertTrue(done.stderr.startswith("spillway: "))


if __name__ == "__main__":
    unittest.main()
