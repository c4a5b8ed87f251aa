# SPDX-License-Identifier: MIT
"""One measured run of a server under a load: the server runs under the allocator, the load does not.

The sample is the load's time, and of the server's processes the processor time and page faults during
the load and the largest size then. Only one run at a time, as for measure.run().
"""

import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import time

from spillway_cli import process
from spillway_cli.ab import measure, usage

MAX_START = 60.0  # seconds
MAX_LOOK = 10.0  # seconds, in the run that is not measured
IDLE = 5.0  # seconds between the load and the look at what is left, as in bench/programs/parts/left.sh
PAUSE = 0.005  # seconds between two looks
MAX_READ = 1 << 20  # bytes of the server's output


class Failed(Exception):
    """The run gave no sample; the text says why."""


@dataclasses.dataclass(frozen=True)
class Server:
    command: tuple
    ready: int | str  # a port of this machine, or a pattern in the server's output
    warm_ups: int = 0  # loads before the measured one


class Run:
    """`run()` once. `processes()` may be asked by another thread meanwhile."""

    def __init__(self, server, load, log, seen=lambda: True):
        """load: an argument list; log: where the server's output goes, a file open for reading, too; seen:
        the server stays after a load, however short, until it returns true."""
        self._server = server
        self._seen = seen
        self._load = load
        self._log = log
        self._main = None
        self._loads = set()  # first processes of loads, each of which leads a session

    def run(self, environment, stdin, stdout, stderr, settle):
        """(Sample, bytes held IDLE seconds after the load or None without `settle`); Failed.

        On any exception, KeyboardInterrupt included, all processes are killed before it goes on.
        """
        measure.become_subreaper()
        try:
            self._start(environment)
            for _ in range(self._server.warm_ups):
                self._run_load(stdin, stdout, stderr)
            sample = self._measure(stdin, stdout, stderr)
            _wait(self._seen, MAX_LOOK)
            left = self._left() if settle else None
            sample.left_behind = not self._stop()
            return sample, left
        finally:
            measure.kill_all()
            if self._main is not None:
                self._main.poll()  # it knows now that it has ended

    def processes(self):
        """All that descend from here but the loads': those of a load's session, or that descend from it."""
        others = {os.getsid(0), *self._loads}
        of_loads = {pid for load in self._loads for pid in process.descendants(load)}
        return [
            pid for pid in process.descendants(os.getpid())
            if pid not in of_loads and process.session(pid) not in others
        ]  # fmt: skip

    def _start(self, environment):
        ready = self._server.ready
        if isinstance(ready, int) and _answers(ready):
            raise Failed(f"another program has port {ready} already")
        try:
            self._main = subprocess.Popen(
                self._server.command, env=environment, stdin=subprocess.DEVNULL, stdout=self._log,
                stderr=self._log, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise Failed(f"the server cannot be executed: {error.strerror}") from None
        end = time.monotonic() + MAX_START
        while not self._is_ready():
            if self._is_gone():
                raise self._ended("before it was ready")
            if time.monotonic() > end:
                what = f"port {ready}" if isinstance(ready, int) else f"nothing matches {ready}"
                reason = f"the server was not ready after {MAX_START:.0f} s: {what}"
                raise Failed(measure.with_last_line(reason, self._log))
            time.sleep(PAUSE)

    def _is_ready(self):
        if isinstance(self._server.ready, int):
            return _answers(self._server.ready)
        said = os.pread(self._log.fileno(), MAX_READ, 0)  # where it stands is where the server writes
        return re.search(self._server.ready.encode(), said, re.MULTILINE) is not None

    def _is_gone(self):
        """A server that became a daemon has left its first process."""
        status = self._main.poll()
        return status is not None and (status != 0 or not self._any_lives())

    def _any_lives(self):
        return any(map(process.is_alive, self.processes()))

    def _measure(self, stdin, stdout, stderr):
        before = self.processes()
        usage.forget_peaks(before)
        seconds, faults = usage.processor_seconds(before), usage.minor_faults(before)
        wall = self._run_load(stdin, stdout, stderr)
        after = self.processes()
        return measure.Sample(
            wall=wall,
            cpu=max(0.0, usage.processor_seconds(after) - seconds),
            peak_rss=usage.peak(after),
            minor_faults=max(0, usage.minor_faults(after) - faults),
            status=0,
        )

    def _run_load(self, stdin, stdout, stderr):
        """Seconds that it took. Input and output are at their start, whatever an earlier load did."""
        for file in (stdout, stderr):
            os.ftruncate(file.fileno(), 0)
        for file in (stdin, stdout, stderr):
            if file != subprocess.DEVNULL:
                os.lseek(file.fileno(), 0, os.SEEK_SET)
        begin = time.perf_counter()
        with subprocess.Popen(
            self._load, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        ) as load:  # fmt: skip
            self._loads.add(load.pid)
            try:
                status = load.wait(measure.MAX_RUN)
            except subprocess.TimeoutExpired:
                load.kill()
                raise Failed(f"the load {measure.without_end()}") from None
        wall = time.perf_counter() - begin
        _kill_session(load.pid)
        if self._is_gone():
            raise self._ended("during the load")
        if status != 0:
            reason = f"the load failed: {measure.describe_status(status)}"
            raise Failed(measure.with_last_line(reason, stderr))
        return wall

    def _left(self):
        time.sleep(IDLE)
        if self._is_gone():
            raise self._ended("after the load")
        return usage.held(self.processes())

    def _stop(self):
        """Whether SIGTERM was enough."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError, PermissionError):  # kill_all() tells the second
                os.kill(pid, signal.SIGTERM)
        return _wait(lambda: self._main.poll() is not None and not self._any_lives(), measure.GRACE)

    def _ended(self, when):
        reason = f"the server ended {when}: {measure.describe_status(self._main.returncode)}"
        return Failed(measure.with_last_line(reason, self._log))


def _kill_session(session):
    """What a load left in the background, whatever process group it is in."""
    while True:
        left = [pid for pid in process.descendants(os.getpid())
                if process.session(pid) == session and process.is_alive(pid)]  # fmt: skip
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(measure.PAUSE)


def _wait(happened, seconds):
    """Whether it did within that time."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def _answers(port):
    try:
        socket.create_connection(("localhost", port), timeout=1.0).close()
    except OSError:
        return False
    return True
