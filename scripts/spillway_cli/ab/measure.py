# SPDX-License-Identifier: MIT
"""One measured run of a command: wall time, and CPU, peak RSS and faults of its whole process tree.

The command is started by setsid(1) and so is the child of a small process, not of this one: a child
would count our memory in its peak RSS. This process is its subreaper: it also waits for what the
command leaves behind, such as a server. Only one run at a time, from the main thread, in a process
that has no other children: all that descends from it is killed.
"""

import ctypes
import dataclasses
import os
import signal
import subprocess
import time

from spillway_cli import paths, process  # paths first: it finds the packages of bench
from spillway_cli.errors import UserError

from harness.interrupts import ENDING

PR_SET_CHILD_SUBREAPER = 36
GRACE = 5.0  # seconds to end in: for what a command left behind, and for what was asked to end
MAX_RUN = 600.0  # seconds
MAX_LINE = 4096  # bytes of a program's complaint
PAUSE = 0.001  # seconds between two looks at processes that are about to end


@dataclasses.dataclass
class Sample:
    wall: float  # seconds, until the command itself ended
    cpu: float  # seconds, user and system, all processes
    peak_rss: int  # bytes, the largest process
    minor_faults: int
    status: int  # exit status; -SIGNAL when killed
    left_behind: bool = False  # something had to be killed after the command ended
    timed_out: bool = False
    metrics: dict = dataclasses.field(default_factory=dict)  # of the user's own, by name


class _Alarm(Exception):
    pass


def _raise_alarm(_signal, _frame):
    raise _Alarm


def become_subreaper():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(command, preload, stdout, stderr, variables=None, stdin=subprocess.DEVNULL):
    """Runs `command` with `preload` as its LD_PRELOAD, its output to two open files.
    `variables` are added to its environment.

    On any exception, KeyboardInterrupt included, the process tree is killed before it goes on.
    """
    become_subreaper()
    old_handler = signal.signal(signal.SIGALRM, _raise_alarm)
    try:
        return _run(launch_stages(command, preload, variables)[0], stdin, stdout, stderr)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        kill_all()


def launch_stages(command, preload, variables=None):
    """The argument lists that a run's first process goes through before it becomes `command`."""
    settings = [f"{name}={value}" for name, value in (variables or {}).items()]
    set_environment = ["env", f"LD_PRELOAD={preload}", *settings, *map(str, command)]
    return [["setsid", "--fork", *set_environment], set_environment]


def _run(launch, stdin, stdout, stderr):
    sample = Sample(0.0, 0.0, 0, 0, 0)
    begin = time.perf_counter()
    strangers = process.children(os.getpid())  # orphans that became ours before
    launcher = subprocess.Popen(launch, stdin=stdin, stdout=stdout, stderr=stderr)
    launcher.wait()
    main = _main_process(strangers)
    signal.setitimer(signal.ITIMER_REAL, MAX_RUN)
    try:
        while True:
            pid, status, usage = os.wait4(-1, 0)
            now = time.perf_counter()
            _add(sample, usage)
            if pid == main:
                sample.wall = now - begin
                sample.status = os.waitstatus_to_exitcode(status)
                signal.setitimer(signal.ITIMER_REAL, GRACE)
    except ChildProcessError:  # all are gone
        signal.setitimer(signal.ITIMER_REAL, 0)
    except _Alarm:
        sample.timed_out = sample.wall == 0.0
        sample.left_behind = not sample.timed_out
        for usage in kill_all():
            _add(sample, usage)
    return sample


def _main_process(strangers):
    """The one that setsid left us. It is about to lead a session, if it does not yet; only then can it
    have had children of its own that are now ours too."""
    found = [pid for pid in process.children(os.getpid()) if pid not in strangers]
    if not found:
        raise RuntimeError("setsid(1) started nothing")
    return next((pid for pid in found if process.session(pid) == pid), found[0])


def _add(sample, usage):
    """`usage` is of one child and of all that it waited for itself."""
    sample.cpu += usage.ru_utime + usage.ru_stime
    sample.peak_rss = max(sample.peak_rss, usage.ru_maxrss * 1024)
    sample.minor_faults += usage.ru_minflt


def describe_status(status):
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def last_line(file):
    """Of an open file, whose position stays; empty when there is none."""
    size = os.fstat(file.fileno()).st_size
    end = os.pread(file.fileno(), MAX_LINE, max(0, size - MAX_LINE))
    lines = end.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def with_last_line(reason, file):
    """The reason, and behind it what a program said last, if anything."""
    said = last_line(file)
    return f"{reason}: {said}" if said else reason


def without_end():
    return f"did not end within {MAX_RUN:.0f} s"


def kill_all():
    """Kills and reaps everything that descends from this process; returns what it had used.

    No Ctrl-C ends it early. UserError, once the others are gone, for processes that it may not kill.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        return _kill_all()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill_all():
    usages = []
    while True:
        alive = [pid for pid in process.descendants(os.getpid()) if process.is_alive(pid)]
        refused = [pid for pid in alive if not _kill(pid)]
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG if refused else 0)
        except ChildProcessError:
            return usages
        if pid != 0:
            usages.append(usage)
        elif refused == alive:
            named = ", ".join(f"{pid} ({process.name(pid) or '?'})" for pid in refused)
            raise UserError(f"can't end process {named}: it is another user's; run spillway as that user")
        else:
            time.sleep(PAUSE)


def _kill(pid):
    """Whether that is allowed."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True
