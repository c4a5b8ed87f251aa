# SPDX-License-Identifier: MIT
"""What the tests of the scripts share: the import path, the command line, small libraries in C."""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "spillway"
# Ends a test that hangs; nothing is judged by it.
HANG_SECONDS = 300
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

PLAIN_MALLOC = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void* __libc_malloc(size_t);
void __libc_free(void*);
void* malloc(size_t size) { return __libc_malloc(size); }
void free(void* block) { __libc_free(block); }
__attribute__((constructor)) static void start(void) {
  if (strcmp(program_invocation_short_name, "seq") == 0) { ACTION; }
}
"""


def spillway(*arguments, **options):
    """Runs scripts/spillway to its end; stdout and stderr are captured as text."""
    return subprocess.run(
        [SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=HANG_SECONDS, **options
    )  # fmt: skip


def said(*arguments):
    """(status, stderr) of the command line, in this process; for what ends before it starts anything."""
    from spillway_cli import main

    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = main.main([str(one) for one in arguments])
        except SystemExit as error:  # argparse's
            status = error.code
    return status, err.getvalue()


class Clock:
    """In place of the module time: what is measured with perf_counter() took STEP each time."""

    STEP = 7.0
    monotonic, sleep = staticmethod(time.monotonic), staticmethod(time.sleep)

    def __init__(self):
        self._count = 0

    def perf_counter(self):
        self._count += 1
        return self.STEP * self._count


def ignored_signals():
    """The line of /proc that tells which signals a program ignores that is started from here."""
    return subprocess.run(
        ["grep", "SigIgn", "/proc/self/status"], capture_output=True, text=True, check=True
    ).stdout


def wait_until(happened):
    """Looks until `happened()`; an error when it has not within HANG_SECONDS."""
    end = time.monotonic() + HANG_SECONDS
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("it never happened")
        time.sleep(0.01)


def runs(pid, name):
    """Whether the process is one of that name: neither ended, if perhaps not waited for, nor another by now."""
    try:
        words = pathlib.Path("/proc", str(pid).strip(), "cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return False
    return words[0] == name


@contextlib.contextmanager
def waiting_process(*before, **options):
    """A shell, started by the command `before` if any, that has all its libraries and waits until the
    end of the block."""
    with subprocess.Popen(
        [*before, "sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    ) as process:  # fmt: skip
        process.stdout.readline()
        yield process
        process.kill()


class WithFolder(unittest.TestCase):
    """A test with a temporary folder of its own, `self.folder`."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def library(self, name, action=""):
        """A library that passes malloc on to glibc and does `action` at the start of a `seq`."""
        source = self.folder / f"{name}.c"
        source.write_text(PLAIN_MALLOC.replace("ACTION", action), encoding="utf-8")
        path = self.folder / f"{name}.so"
        self.compile(source, path, "-shared", "-fPIC")
        return path

    def stub(self, soname):
        """A library of this name, and nothing in it."""
        source = self.folder / "stub.c"
        source.write_text("void stub(void) {}\n", encoding="utf-8")
        path = self.folder / soname
        self.compile(source, path, "-shared", "-fPIC", f"-Wl,-soname,{soname}")
        return path

    @staticmethod
    def compile(source, path, *options):
        subprocess.run(["cc", "-O1", *options, "-o", path, source], check=True, timeout=HANG_SECONDS)
