#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""top.py LIBRARY PLAIN LINKED STATIC LEAK: `spillway top` on a real terminal, watching real programs."""
import json
import shutil
import signal
import subprocess
import sys
import unittest

from terminal import HANG_SECONDS, Terminal
from watched import LINKED, SPILLWAY, program, spillway

# 777 blocks of the class of 20480 bytes stay, others of 40960 come and go until the input ends.
PROGRAM = """
import select, sys
kept = [bytearray(20000) for _ in range(777)]
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.001)[0]:
    for _ in range(100):
        bytearray(40000)
"""
KEPT = r"(?m)^ *20 KiB +777 +15\.2 MiB "


def busy():
    return program("/usr/bin/python3", "-c", PROGRAM)


def top(process, *arguments, width=80, height=24):
    return Terminal(f"{SPILLWAY} top {' '.join(arguments)} {process.pid}", width, height)


class Screen(unittest.TestCase):
    def test_the_page_its_keys_and_the_end(self):
        with busy() as process, top(process, "--interval", "0.2") as terminal:
            lines = terminal.wait_for("20 KiB", "ALLOC/s", "q quit", f"pid {process.pid}")
            self.assertRegex("\n".join(lines), KEPT)
            self.assertTrue(lines[0].startswith("python3"), lines[0])
            self.assertEqual(len(lines), 24)
            self.assertTrue(lines[-1].startswith("q quit"))
            terminal.press("h")
            terminal.wait_for("this help", without=("resident",))
            terminal.press("x")
            terminal.wait_for("resident", "q quit", without=("this help",))
            terminal.press("n")
            lines = terminal.wait_for("sort (size)")
            terminal.press("R")
            terminal.wait_for("sort (size, reversed)")
            terminal.press("Right")
            terminal.wait_for("sort (blocks)")
            terminal.press("+")
            terminal.wait_for("every 0.5 s")
            terminal.press("-")
            terminal.wait_for("every 0.2 s")
            terminal.press("p")
            terminal.wait_for("paused")
            terminal.press("p")
            terminal.wait_for("every 0.2 s", without=("paused",))
            terminal.press("q")
            # The terminal is as it was: what is typed shows.
            terminal.wait_for("status 0", " echo")

    def test_other_sizes(self):
        with busy() as process, top(process, "-i", "0.2", width=200, height=60) as terminal:
            lines = terminal.wait_for("777", "ALLOCATIONS", "page faults/s")
            self.assertEqual(len(lines), 60)
            terminal.resize(60, 15)
            lines = terminal.wait_for("q quit", without=("ALLOCATIONS", "page faults"))
            self.assertEqual(len(lines), 15)
            self.assertTrue(all(len(line) <= 60 for line in lines))
            terminal.resize(20, 4)
            terminal.wait_for("too small")
            terminal.resize(80, 24)
            terminal.wait_for("q quit", "page faults", without=("too small",))
            terminal.press("q")
            terminal.wait_for("status 0")

    def test_the_program_ends(self):
        for how in ("of itself", "killed", "while it is paused"):
            with busy() as process, top(process, "-i", "0.2") as terminal:
                terminal.wait_for("q quit")
                if how == "while it is paused":
                    terminal.press("p")
                    terminal.wait_for("paused")
                if how == "of itself":
                    process.stdin.close()
                else:
                    process.kill()
                process.wait(timeout=HANG_SECONDS)
                if how == "while it is paused":
                    terminal.press("p")
                terminal.wait_for(
                    f"spillway: process {process.pid} (python3) has ended", "status 1", " echo"
                )

    def test_another_program_and_a_stop(self):
        with program("sh", "-c", 'echo ready; read line; exec "$@"', "sh", "/usr/bin/python3", "-c", PROGRAM) as process:
            with top(process, "-i", "0.2") as terminal:
                lines = terminal.wait_for("q quit")
                self.assertTrue(lines[0].startswith("sh "), lines[0])
                process.stdin.write(b"\n")
                process.stdin.flush()
                lines = terminal.wait_for("python3", "777", "20 KiB")
                self.assertRegex("\n".join(lines), KEPT)
                process.send_signal(signal.SIGSTOP)
                terminal.wait_for("is stopped; nothing new since", "777")
                process.send_signal(signal.SIGCONT)
                terminal.wait_for("q quit", without=("is stopped",))
                terminal.press("q")
                terminal.wait_for("status 0")

    def test_signals_leave_the_terminal_as_it_was(self):
        with busy() as process, top(process) as terminal:
            terminal.wait_for("q quit")
            terminal.press("C-c")
            terminal.wait_for("status 130", " echo")

    def test_terminals_that_cannot_be_painted_on(self):
        with busy() as process:
            for name in ("dumb", "no-such-terminal"):
                command = f"TERM={name} {SPILLWAY} top {process.pid}"
                with Terminal(command, 80, 24) as terminal:
                    terminal.wait_for(f"cannot paint on a terminal '{name}'", "status 2")


class Text(unittest.TestCase):
    def test_one_page(self):
        with busy() as process:
            done = spillway("top", "--once", "--interval", "0.2", "--sort", "size", process.pid)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, KEPT)
            self.assertTrue(all(len(line) <= 80 for line in done.stdout.splitlines()))

    def test_objects(self):
        with busy() as process:
            done = spillway("top", "--json", "-i", "0.1", "--count", "3", process.pid)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(len(found), 3)
            for one in found:
                kept = [entry for entry in one["statistics"]["classes"] if entry["block_size"] == 20480]
                self.assertEqual(kept[0]["live"], 777)
                self.assertGreater(one["rates"]["allocations"], 0)
                self.assertEqual(one["pid"], process.pid)

    def test_the_program_ends_before_the_last_object(self):
        with program(LINKED, preload=False) as process:
            watcher = subprocess.Popen(
                [SPILLWAY, "top", "--json", "-i", "0.1", str(process.pid)], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            watcher.stdout.readline()
            process.kill()
            process.wait(timeout=HANG_SECONDS)
            _, complaint = watcher.communicate(timeout=HANG_SECONDS)
            self.assertEqual(watcher.returncode, 1)
            self.assertRegex(complaint, rf"^spillway: process {process.pid} \(.*\) has ended\n$")


if __name__ == "__main__":
    if shutil.which("tmux") is None:
        print("skipped: no tmux")
        sys.exit(77)
    unittest.main()
