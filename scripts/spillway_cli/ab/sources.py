# SPDX-License-Identifier: MIT
"""Where samples come from: one run of a program, which is a command, or a server under a load.

A source has `run(allocator, files, with_left)`, which gives a Sample and, `with_left`, the bytes that are
left after the work, or None; and `watch(allocator)`, a verify.Watch for one such run.
"""

import contextlib
import dataclasses
import os
import subprocess

from spillway_cli import process
from spillway_cli.ab import measure, server, verify

LEFT_VARIABLE = "LEFT_KIB_FILE"  # names the file where a program of bench/programs writes it


@dataclasses.dataclass(frozen=True)
class Files:
    """Open files for a run's output."""

    stdout: object
    stderr: object


def source(program, logs):
    return Served(program, logs) if program.server else Command(program, logs)


@contextlib.contextmanager
def _input(program):
    if program.input is None:
        yield subprocess.DEVNULL
    else:
        with open(program.input, "rb") as file:
            yield file


class Command:
    def __init__(self, program, logs):
        self._program = program
        self._logs = logs

    def run(self, allocator, files, with_left=False):
        variables = self._variables(allocator, with_left)
        left = self._left_file(allocator)
        left.unlink(missing_ok=True)
        with _input(self._program) as stdin:
            sample = measure.run(
                self._program.command, allocator.library, files.stdout, files.stderr, variables, stdin
            )  # fmt: skip
        text = left.read_text(encoding="ascii").strip() if with_left and left.exists() else ""
        return sample, int(text) * 1024 if text.isdecimal() else None

    def watch(self, allocator):
        stages = measure.launch_stages(
            self._program.command, allocator.library, self._variables(allocator, True)
        )  # fmt: skip
        return verify.Watch(allocator.library, lambda: process.descendants(os.getpid()), stages)

    def _variables(self, allocator, with_left):
        more = {LEFT_VARIABLE: self._left_file(allocator)} if with_left else {}
        return {**allocator.variables, **more}

    def _left_file(self, allocator):
        return self._logs / f"{self._program.name}.{allocator.name}.left"


class Served:
    def __init__(self, program, logs):
        self._program = program
        self._logs = logs
        self._running = None  # server.Run
        self._watch = None  # of the next run

    def run(self, allocator, files, with_left=False):
        log = self._logs / f"{self._program.name}.{allocator.name}.server"
        with open(log, "w+b") as said, _input(self._program) as stdin:
            watch, self._watch = self._watch, None
            seen = watch.has_seen if watch else lambda: True
            self._running = server.Run(self._program.server, self._program.command, said, seen)
            return self._running.run(allocator.environment(), stdin, files.stdout, files.stderr, with_left)

    def watch(self, allocator):
        self._running = None
        self._watch = verify.Watch(allocator.library, lambda: self._running.processes() if self._running else [])
        return self._watch
