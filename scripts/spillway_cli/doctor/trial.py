# SPDX-License-Identifier: MIT
"""Runs the command, without Spillway and with it, and gathers what the second run tells of each process.

A child of ours does the running (ab/measure.py), so that this process is an ancestor of all that the command
starts, which is what looking into them takes, and has no other child of its own to wait for.
"""

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

from spillway_cli import attach, pprof, process
from spillway_cli.ab import measure
from spillway_cli.errors import UserError
from spillway_cli.figures import reading

# Bytes between two samples: a sampled small block takes a page, so small blocks grow by a sixteenth, and
# 100 MiB are known to 2.5 per cent.
RATE = 1 << 16
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25  # seconds between two looks; arbitrary
GRACE = 5.0  # seconds to end in, once asked to
MOST_FAILURES = 5  # looks at a process that told nothing
MOST_ABSENCES = 3  # looks at a process without Spillway that it may still be starting at; 0.1 s
PR_SET_PDEATHSIG = 1


@dataclasses.dataclass(frozen=True)
class Live:
    """Bytes that a process held at one moment, by the size of the block."""

    small: int
    middle: int
    large: int

    @property
    def total(self):
        return self.small + self.middle + self.large


@dataclasses.dataclass
class Heap:
    """What one process told of its heap."""

    pid: int
    program: str = "?"
    statistics: dict = dataclasses.field(default_factory=dict)  # the last
    sizes: tuple | None = None  # of pprof.Sizes; empty: not one sample; None: not known
    peak: Live = Live(0, 0, 0)  # at the look that found most
    failures: int = 0
    absences: int = 0  # looks that found no Spillway in it

    def take(self, snapshot):
        self.program = snapshot.get("program") or self.program
        self.statistics = snapshot
        self.peak = max(self.peak, live_of(snapshot), key=lambda live: live.total)

    def take_profile(self, profile):
        """Once: each look counts on from the one before."""
        self.sizes = profile.sizes

    @property
    def allocated(self):
        return sum(one.values["alloc_space"] for one in self.sizes or ())


@dataclasses.dataclass
class Run:
    sample: measure.Sample
    complaint: str  # the last line on its stderr
    ended: bool = False  # by us, when its time was over

    def status_text(self):
        if self.ended:
            return "still ran when its time was over"
        if self.sample.status < 0:
            return f"was killed by signal {-self.sample.status}"
        return f"exit status {self.sample.status}"


def live_of(snapshot):
    """A sampled small block has a page of the pool's: so many are taken for small ones as there are samples
    on average."""
    small = snapshot.get("fallback_live_bytes") or 0
    pages = next((one["live_bytes"] for one in snapshot.get("classes", ()) if one["block_size"] == 4096), 0)
    samples = min(pages, 4096 * small // RATE)
    middle = max(0, snapshot.get("pool_live_bytes", 0) - samples)
    return Live(small, middle, snapshot.get("large_live_bytes", 0))


def run_plain(command, preload, seconds):
    return _run(command, preload, {}, seconds, lambda worker: None, lambda worker: None)


def run_with(command, preload, seconds):
    """(Run, [Heap of each process that told something], names of programs that were seen without Spillway)"""
    with tempfile.TemporaryDirectory(prefix="spillway-doctor-") as folder:
        folder = pathlib.Path(folder)
        variables = {
            "SPILLWAY_STATS": "json",
            "SPILLWAY_STATS_FILE": str(folder / "statistics.%p"),
            "SPILLWAY_PROFILE": str(RATE),
            "SPILLWAY_PROFILE_FILE": str(folder / "profile.%p"),
        }
        looks = Looks()
        run = _run(command, preload, variables, seconds, looks.look, looks.look_last)
        looks.close()
        read_files(folder, looks.heaps)
        return run, [heap for heap in looks.heaps.values() if heap.statistics], looks.strangers()


def read_files(folder, heaps):
    """Adds what processes left behind when they ended."""
    for path in sorted(folder.iterdir()):
        kind, _, pid = path.name.partition(".")
        if not pid.isdecimal():
            continue
        heap = heaps.setdefault(int(pid), Heap(int(pid)))
        try:
            if kind == "statistics":
                heap.take(json.loads(path.read_text(encoding="utf-8", errors="replace")))
            elif kind == "profile":
                heap.take_profile(pprof.read(path))
        except (UserError, ValueError):  # cut off: it was killed meanwhile
            pass


class Looks:
    """At running processes: what they hold, while they hold it."""

    def __init__(self, find=attach.find):
        self.heaps = {}
        self._find = find
        self._attachments = {}

    def look(self, worker):
        for pid in process.descendants(worker):
            self._try(pid, lambda attachment, heap: heap.take(attachment.snapshot()))

    def look_last(self, worker):
        """Before the processes are ended: some have no chance to write anything then."""
        def take_all(attachment, heap):
            heap.take(attachment.snapshot())
            heap.take_profile(pprof.decode(attachment.request_bytes("profile dump")))

        for pid in process.descendants(worker):
            self._try(pid, take_all)

    def _try(self, pid, ask):
        heap = self.heaps.setdefault(pid, Heap(pid))
        if heap.failures >= MOST_FAILURES:
            return
        try:
            if pid not in self._attachments:
                found = self._find(pid)
                if found is None:
                    heap.absences += 1
                    heap.program = reading.short_name(pid) or heap.program
                    return
                self._attachments[pid] = found
            ask(self._attachments[pid], heap)
            heap.failures = 0
        except (UserError, OSError, ValueError):  # it ended, became another program, or is not for us
            heap.failures += 1
            self._drop(pid)

    def strangers(self):
        return {
            heap.program
            for heap in self.heaps.values()
            if heap.absences >= MOST_ABSENCES and not heap.statistics
        }

    def _drop(self, pid):
        attachment = self._attachments.pop(pid, None)
        if attachment is not None:
            attachment.close()

    def close(self):
        for pid in list(self._attachments):
            self._drop(pid)


def _run(command, preload, variables, seconds, look, look_last):
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
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
        sample = measure.Sample(**json.loads(answer))
        said.seek(0)
        lines = said.read().strip().splitlines() or [""]
        return Run(sample, lines[-1], ended)


def _start(command, preload, variables, said, reader, writer):
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    worker = os.fork()
    if worker != 0:
        return worker
    try:
        os.close(reader)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what it started, then itself
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == parent:
            with open(os.devnull, "wb") as null:
                sample = measure.run(command, preload, null, said, variables)
            os.write(writer, json.dumps(dataclasses.asdict(sample)).encode())
    except BaseException:  # Ctrl-C, or a bug, which the parent tells by the missing answer
        os._exit(1)
    finally:
        os._exit(0)


def _watch(worker, reader, seconds, look, look_last):
    """Looks until the worker has its answer. Whether the command was ended because its time was over."""
    pause, start = FIRST_PAUSE, time.monotonic()
    while not _wait_for(reader, pause):
        pause = min(1.5 * pause, LONGEST_PAUSE)
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
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        if _wait_for(reader, GRACE):
            return


def _reap(worker):
    """After an exception, such as Ctrl-C, the worker may be at work."""
    try:
        if os.waitpid(worker, os.WNOHANG)[0] == 0:
            os.kill(worker, signal.SIGTERM)
            os.waitpid(worker, 0)
    except ChildProcessError:
        pass
