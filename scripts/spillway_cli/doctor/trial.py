# SPDX-License-Identifier: MIT
"""Runs the command, without Spillway and with it, and gathers what the second run tells of each process.

A child of ours does the running (ab/measure.py), so that this process is an ancestor of all that the command
starts, which is what looking into them takes, and has no other child of its own to wait for.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import select
import signal
import sys
import tempfile
import time

from spillway_cli import process
from spillway_cli.ab import measure
from spillway_cli.doctor.heaps import RATE, read_files
from spillway_cli.doctor.looks import Looks
from spillway_cli.errors import UserError

from harness.interrupts import ENDING

MIN_PAUSE, MAX_PAUSE = 0.02, 0.25  # seconds between two looks; arbitrary
PR_SET_PDEATHSIG = 1


@dataclasses.dataclass
class Run:
    sample: measure.Sample
    complaint: str  # the last line on its stderr
    ended: bool = False  # by us, when its time was over

    def status_text(self):
        if self.ended:
            return "still ran when its time was over"
        return measure.describe_status(self.sample.status)


def run_plain(command, preload, seconds):
    return _run(command, preload, {}, seconds, lambda worker: None, lambda worker: None)


def run_with(command, preload, seconds):
    """(Run, [heaps.Heap of each process that told something], names of programs that were seen without Spillway)"""
    with tempfile.TemporaryDirectory(prefix="spillway-doctor-") as folder:
        folder = pathlib.Path(folder)
        variables = {
            "SPILLWAY_STATS": "json",
            "SPILLWAY_STATS_FILE": str(folder / "statistics.%p"),
            "SPILLWAY_PROFILE": str(RATE),
            "SPILLWAY_PROFILE_FILE": str(folder / "profile.%p"),
        }
        looks = Looks(measure.launch_stages(command, preload, variables))
        run = _run(command, preload, variables, seconds, looks.look, looks.look_last)
        looks.close()
        read_files(folder, looks.heaps)
        return run, [heap for heap in looks.heaps.values() if heap.statistics], looks.strangers()


def _run(command, preload, variables, seconds, look, look_last):
    with tempfile.TemporaryFile() as said:
        reader, writer = os.pipe()
        worker = _start(command, preload, variables, said, reader, writer)
        os.close(writer)
        ended = False
        try:
            ended = _watch(worker, reader, seconds, look, look_last)
            answer = b""
            while piece := os.read(reader, 1 << 16):
                answer += piece
        finally:
            os.close(reader)
            _reap(worker)
        if not answer:
            raise UserError("the command could not be run: its runner ended")
        answer = json.loads(answer)
        if "error" in answer:
            raise UserError(answer["error"])
        return Run(measure.Sample(**answer), measure.last_line(said), ended)


def _start(command, preload, variables, said, reader, writer):
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until the worker has handlers of its own
    worker = os.fork()
    if worker != 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return worker
    try:
        os.close(reader)
        _end_when_asked()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == parent:
            os.write(writer, json.dumps(_measured(command, preload, variables, said)).encode())
    except BaseException:  # Ctrl-C, or a bug, which the parent tells by the missing answer
        os._exit(1)
    finally:
        os._exit(0)


def _measured(command, preload, variables, said):
    """The answer of the worker: a measure.Sample, or why there is none."""
    try:
        with open(os.devnull, "wb") as null:
            return dataclasses.asdict(measure.run(command, preload, null, said, variables))
    except UserError as error:
        return {"error": str(error)}


def _end_when_asked():
    """Of the worker, which Ctrl-C reaches as it does its parent: only the parent's SIGTERM ends it, once."""

    def interrupt(_number, _frame):
        signal.signal(signal.SIGTERM, _stay)
        raise KeyboardInterrupt

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # what the command would have, too
            signal.signal(number, _stay)
    signal.signal(signal.SIGTERM, interrupt)


def _stay(_number, _frame):
    """A handler, and not SIG_IGN, which a command keeps."""


def _watch(worker, reader, seconds, look, look_last):
    """Looks until the worker has its answer. Whether the command was ended because its time was over."""
    pause, start = MIN_PAUSE, time.monotonic()
    while not _wait_for(reader, pause):
        pause = min(1.5 * pause, MAX_PAUSE)
        if time.monotonic() - start < seconds:
            look(worker)
            continue
        look_last(worker)
        _end(worker, reader)
        return True
    return False


def _wait_for(reader, seconds):
    """Whether there is an answer, or the worker is gone."""
    return bool(select.select([reader], [], [], seconds)[0])


def _end(worker, reader):
    """Asks the command itself to end, and makes it; the worker ends what it leaves behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in process.children(worker):
            if process.session(pid) == pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):  # kill_all() tells the second
                    os.kill(pid, number)
        if _wait_for(reader, measure.GRACE):
            return


def _reap(worker):
    """After an exception, such as Ctrl-C, the worker may be at work."""
    try:
        if os.waitpid(worker, os.WNOHANG)[0] == 0:
            os.kill(worker, signal.SIGTERM)
            os.waitpid(worker, 0)
    except ChildProcessError:
        pass
