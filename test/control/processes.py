# SPDX-License-Identifier: MIT
"""What the tests of the control channel share: processes to look at, and the import path.

In the environment: LIBRARY, the library to preload, and PROGRAMS, the folder of the programs.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scripts"))
from support import HANG_SECONDS, ROOT, wait_until  # noqa: E402, F401
from spillway_cli import attach  # noqa: E402
from spillway_cli.errors import UserError  # noqa: E402

LIBRARY = os.environ["LIBRARY"]
PROGRAMS = pathlib.Path(os.environ["PROGRAMS"])


def program(name):
    return str(PROGRAMS / name)


def request(pid, text):
    """The answer; asked anew where the machine is too busy for an answer in time."""
    end = time.monotonic() + HANG_SECONDS
    while True:
        try:
            return attach.find(pid).request(text)
        except UserError as error:
            late = "no answer" in str(error) or "does not run" in str(error)
            if not late or time.monotonic() > end:
                raise


class WithProcesses(unittest.TestCase):
    """A test whose processes end with it."""

    def start(self, *command, library=LIBRARY, before=(), **variables):
        """Starts a process that prints a line when it is ready, and returns it and the line."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPILLWAY_")}
        environment.update(variables)
        if library:
            environment["LD_PRELOAD"] = str(library)
        process = subprocess.Popen(
            [*before, *command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        self.addCleanup(self.end, process)
        return process, process.stdout.readline().strip()

    def copied_for_all(self, *programs):
        """A folder that every user may read, laid out as the checkout: the commands, and beside them the
        library and these programs."""
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        folder = pathlib.Path(holder.name)
        for name in ("scripts/spillway_cli", "bench/harness", "bench/report"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (LIBRARY, *map(program, programs)):
            shutil.copy(path, folder)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        return folder

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()

    def finish(self, process):
        """Lets it end by itself, which has to be well; what it printed last."""
        process.stdin.close()
        text = process.stdout.read().strip()
        self.assertEqual(process.wait(HANG_SECONDS), 0)
        return text

    def assert_refused(self, pid, part, text="stats"):
        """A request of the process ends in one line that has `part`."""
        with self.assertRaises(UserError) as caught:
            found = attach.find(pid)
            self.assertIsNotNone(found)
            found.request(text)
        self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


def hidden_threads(pid):
    """Spillway's background thread, if there is one."""
    found = attach.status.hidden_thread(pid)
    return [] if found is None else [found]


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
