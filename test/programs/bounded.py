# SPDX-License-Identifier: MIT
"""Runs a command to its end or to a time limit, and leaves no process of it behind."""
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time


GRACE = 60  # Seconds; arbitrary: children of a browser, told to end, are still at it when their parent has ended.


def _members(session, strangers=None):
    """Living processes of a session: a child that has changed its process group is still in it. No process joins a session
    later: those of others are noted in the set strangers, and left out the next time."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or (strangers and entry.name in strangers):
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        if int(fields[3]) != session:
            if strangers is not None:
                strangers.add(entry.name)
        elif fields[0] not in "ZX":
            yield int(entry.name)


def _end(session, grace):
    """Ends every process of the session that does not end by itself within `grace` seconds; gives how many those were."""
    begin = time.monotonic()
    while time.monotonic() - begin < grace and any(_members(session)):
        time.sleep(0.01)
    ended = set()
    while members := list(_members(session)):
        for process in members:
            try:
                os.kill(process, signal.SIGKILL)
                ended.add(process)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    return len(ended)


class Result:
    """status: the exit status, negative for a signal, or None when the time was up. out, err: bytes. left: processes
    that were still there after the command's own end. seconds: elapsed. seen: names of the executables that had the
    watched library loaded."""

    def __init__(self, status, out, err, left, seconds, seen):
        self.status, self.out, self.err, self.left, self.seconds, self.seen = status, out, err, left, seconds, seen


def _watch(session, library, seen, done):
    """Adds to seen the executables of the session's processes that have the library mapped, until done is set."""
    known, strangers = set(), set()
    while not done.wait(0.01):
        for process in _members(session, strangers):
            folder = f"/proc/{process}"
            try:
                program = os.readlink(folder + "/exe")
                if (process, program) in known:
                    continue
                if library in pathlib.Path(folder + "/maps").read_text():
                    known.add((process, program))
                    seen.add(pathlib.Path(program).name)
            except OSError:  # It has ended meanwhile.
                continue


def run(command, folder, environment, seconds, watch=None, grace=GRACE):
    """The Result. grace: seconds that processes may take to end after the command."""
    # Files, not pipes: a process left behind would hold a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        seen, done = set(), threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, watch, seen, done))
        if watch:
            watcher.start()
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        took = time.monotonic() - begin
        left = _end(process.pid, 0 if status is None else grace)
        process.wait()
        done.set()
        if watch:
            watcher.join()
        out.seek(0)
        err.seek(0)
        return Result(status, out.read(), err.read(), left if status is not None else 0, took, seen)
