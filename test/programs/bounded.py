"""Runs a command to its end or to a time limit, and leaves no process of it behind."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time


def _members(session):
    """Living processes of a session: a child that has changed its process group is still in it."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            yield int(entry.name)


def _end(session):
    """Ends every process of the session, by its id; gives how many there were."""
    ended = 0
    while members := list(_members(session)):
        for process in members:
            try:
                os.kill(process, signal.SIGKILL)
                ended += 1
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    return ended


class Result:
    """status: the exit status, negative for a signal, or None when the time was up. out, err: bytes. left: processes
    that were still there after the command's own end. seconds: elapsed."""

    def __init__(self, status, out, err, left, seconds):
        self.status, self.out, self.err, self.left, self.seconds = status, out, err, left, seconds


def run(command, folder, environment, seconds):
    # Files, not pipes: a process left behind would hold a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        took = time.monotonic() - begin
        left = _end(process.pid)
        process.wait()
        out.seek(0)
        err.seek(0)
        return Result(status, out.read(), err.read(), left if status is not None else 0, took)
