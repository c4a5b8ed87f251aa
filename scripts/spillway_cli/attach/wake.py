# SPDX-License-Identifier: MIT
"""Starts Spillway's background thread in a process whose threads sleep, or never come to a slow
path: as a debugger would, a thread is stopped for some 100 microseconds and set on the entry that
the note names (alloc/control/entry.cc), from which it goes on where it was.

A child process of ours does it, which is the tracer, so that whatever becomes of this one, the
kernel lets go of the thread. One system call sets the registers; killed before it, nothing has
happened, and after it the entry needs no tool. What is left: killed between the stop and that call,
an epoll_wait() or another call of its kind ends with EINTR, as it does after SIGSTOP and SIGCONT.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
import time

from spillway_cli.attach import registers, status
from spillway_cli.errors import UserError

SEIZE, INTERRUPT, DETACH, CONTINUE, GET_SET, SET_SET = 0x4206, 0x4207, 17, 7, 0x4204, 0x4205
GET_RSEQ = 0x420F
NT_PRSTATUS = 1
EVENT_STOP = 128
ALL_CHILDREN = 0x40000000  # __WALL

STOP_SECONDS = 0.2  # until a thread has stopped: more only in uninterruptible sleep
MAX_SECONDS = 1.0
RETRY_SECONDS = 0.002

BUSY, ANSWERED, TRACED, STOPPED, FILTERED, ENDED, REFUSED, NONE = range(8)


class _Slice(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def wake(pid, memory, note, mailbox):
    """Returns when the process's background thread has been started, or is there. UserError."""
    if note.entry == 0 or platform.machine() != "x86_64":
        raise UserError(f"process {pid}: none of its threads calls the allocator: no answer")
    before = mailbox.answers().wakes
    outcome = _in_child(lambda: _Tracer(pid, memory, note).run())
    reasons = {
        TRACED: "another tool debugs it",
        STOPPED: "it is stopped",
        FILTERED: "it filters its system calls, and none of its threads calls the allocator: not woken",
        ENDED: "its first thread has ended: no other can be started",
        REFUSED: "the kernel does not let us wake it",
        BUSY: "none of its threads can be woken: uninterruptible sleep, or a call that can't be restarted",
        NONE: "the tool that wakes it has failed",
    }
    if outcome != ANSWERED:
        raise UserError(f"process {pid}: {reasons[outcome]}")
    limit = time.monotonic() + MAX_SECONDS
    while mailbox.answers().wakes == before:
        if time.monotonic() > limit:
            raise UserError(f"process {pid}: the thread that was to wake it does not run")
        time.sleep(0.0005)
    if mailbox.answers().woken == "no thread":
        raise UserError(
            f"process {pid}: no thread can be started there: its first thread has ended, or the "
            "kernel refuses"
        )


def _in_child(action):
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os._exit(action())
        finally:
            os._exit(NONE)
    while True:
        try:
            found = os.waitpid(child, 0)[1]
            return os.WEXITSTATUS(found) if os.WIFEXITED(found) else NONE
        except InterruptedError:
            pass


class _Tracer:
    def __init__(self, pid, memory, note):
        self._pid = pid
        self._memory = memory
        self._note = note
        self._seized = set()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.restype = ctypes.c_long
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def run(self):
        """One of the numbers above."""
        found = status.fields(self._pid)
        if found.get("TracerPid", "0") != "0":
            return TRACED
        if found.get("State", "").startswith(("T", "t")):
            return STOPPED
        if found.get("State", "").startswith("Z"):
            return ENDED
        # The first thread is seized in any case: one tool at a time.
        if not self._seize(self._pid):
            return TRACED if ctypes.get_errno() == errno.EPERM and self._is_traced() else REFUSED
        if all(self._is_filtered(thread) for thread in status.threads(self._pid)):
            return FILTERED
        outcome, limit = BUSY, time.monotonic() + MAX_SECONDS
        tried = set()
        while time.monotonic() < limit:
            for thread in self._candidates(tried):
                outcome = self._try(thread, tried)
                if outcome in (ANSWERED, STOPPED):
                    return outcome
            time.sleep(RETRY_SECONDS)
        return outcome

    def _is_traced(self):
        return status.fields(self._pid).get("TracerPid", "0") != "0"

    def _is_filtered(self, thread):
        return status.fields(self._pid, thread).get("Seccomp", "0") != "0"

    # --- which thread ---

    def _candidates(self, tried):
        """Threads that can be woken, best first: those that sleep in a call that goes on as if
        nothing had been, the first one before others; those that run; and those whose call would
        wait anew."""
        ranked = []
        for thread in status.threads(self._pid):
            rank = self._rank(thread)
            if rank is not None and thread not in tried and not self._is_filtered(thread):
                ranked.append((rank, thread != self._pid, thread))
        return [thread for _, _, thread in sorted(ranked)]

    def _rank(self, thread):
        try:
            with open(f"/proc/{self._pid}/task/{thread}/syscall", encoding="ascii") as file:
                words = file.read().split()
        except OSError:
            return None
        if not words:
            return None
        if words[0] == "running" or words[0] == "-1":
            return 1
        call, arguments = int(words[0]), [int(word, 16) for word in words[1:7]]
        if call not in registers.RESTARTABLE:
            return None
        return 2 if registers.waits_again(call, arguments) else 0

    # --- one thread ---

    def _try(self, thread, tried):
        if thread not in self._seized and not self._seize(thread):
            return BUSY
        slept_ms = self._slept_ms(thread)
        if not self._ptrace(INTERRUPT, thread):
            return BUSY
        stopped = self._wait_for_stop(thread)
        if stopped == STOPPED:
            return STOPPED
        if stopped != ANSWERED:
            tried.add(thread)  # uninterruptible: the kernel lets go of it when we end
            return BUSY
        return self._redirect(thread, slept_ms)

    def _redirect(self, thread, slept_ms):
        """The thread is stopped. It goes on in any case."""
        found = registers.Registers()
        if not self._registers(GET_SET, thread, found) or found.cs != registers.CODE_64:
            return self._let_go(thread, BUSY)
        if registers.in_call(found) and registers._signed(found.rax) == -registers.EINTR:
            if status.pending_signals(status.fields(self._pid, thread)):
                return self._let_go(thread, BUSY)  # a real one: its handler is to interrupt the call
        was_in_call = registers.in_call(found)
        if not registers.resume(found, slept_ms):
            return self._let_go(thread, BUSY)
        try:
            if not was_in_call and self._is_in_sequence(thread):
                return self._let_go(thread, BUSY)
            resumed = registers.Registers.from_buffer_copy(found)
            address, words = registers.call_entry(found, self._note.entry)
            self._memory.write(address, words)
        except Exception:  # no stack there, or another program: as if nothing had been
            self._registers(SET_SET, thread, resumed)
            return self._let_go(thread, BUSY)
        done = self._registers(SET_SET, thread, found)
        return self._let_go(thread, ANSWERED if done else BUSY)

    def _is_in_sequence(self, thread):
        """Whether the thread may be in a restartable sequence (rseq(2)), which is not to be left and
        entered again in the middle."""
        configuration = (ctypes.c_uint64 * 3)()
        self._libc.ptrace.restype = ctypes.c_long
        size = self._libc.ptrace(
            GET_RSEQ, thread, ctypes.c_void_p(ctypes.sizeof(configuration)),
            ctypes.cast(configuration, ctypes.c_void_p),
        )  # fmt: skip
        if size <= 0:
            return True  # can't be told
        if configuration[0] == 0:
            return False
        return struct.unpack("<Q", self._memory.read(configuration[0] + 8, 8))[0] != 0

    def _slept_ms(self, thread):
        """How long it has not run, rather less than more, where the kernel says so; else 0.

        Each processor has a clock of its own for that, so we go to the thread's."""
        try:
            with open(f"/proc/{self._pid}/task/{thread}/stat", "rb") as file:
                processor = int(file.read().rpartition(b")")[2].split()[36])
            os.sched_setaffinity(0, {processor})
            return max(_ran_at_ms("self") - _ran_at_ms(f"{self._pid}/task/{thread}"), 0)
        except (OSError, ValueError, StopIteration):
            return 0

    # --- the kernel's part ---

    def _ptrace(self, request, thread, data=0):
        return self._libc.ptrace(request, thread, None, ctypes.c_void_p(data)) == 0

    def _seize(self, thread):
        if self._ptrace(SEIZE, thread):
            self._seized.add(thread)
            return True
        return False

    def _registers(self, request, thread, found):
        part = _Slice(ctypes.addressof(found), ctypes.sizeof(found))
        return (
            self._libc.ptrace(
                request, thread, ctypes.c_void_p(NT_PRSTATUS), ctypes.addressof(part)
            )
            == 0
        )

    def _let_go(self, thread, outcome):
        if self._ptrace(DETACH, thread):
            self._seized.discard(thread)
        if thread == self._pid and outcome == BUSY:
            self._seize(thread)
        return outcome

    def _wait_for_stop(self, thread):
        """ANSWERED when it has stopped for us, STOPPED when it is stopped as by SIGSTOP."""
        limit = time.monotonic() + STOP_SECONDS
        while time.monotonic() < limit:
            for one in list(self._seized):
                try:
                    found, how = os.waitpid(one, os.WNOHANG | ALL_CHILDREN)
                except ChildProcessError:  # it has ended
                    self._seized.discard(one)
                    continue
                if found == 0:
                    continue
                if not os.WIFSTOPPED(how):
                    self._seized.discard(one)
                elif how >> 16 == EVENT_STOP and os.WSTOPSIG(how) != signal.SIGTRAP:
                    self._let_go(one, STOPPED)
                    return STOPPED
                elif how >> 16 == EVENT_STOP and one == thread:
                    return ANSWERED
                else:  # a signal on its way, or a stop that came too late
                    passed = 0 if how >> 16 else os.WSTOPSIG(how)
                    self._ptrace(CONTINUE, one, passed)
            if thread not in self._seized:
                return BUSY
            time.sleep(0.00005)
        return BUSY


def _ran_at_ms(task):
    with open(f"/proc/{task}/sched", encoding="ascii", errors="replace") as file:
        line = next(line for line in file if line.startswith("se.exec_start"))
    return float(line.split(":")[1])
