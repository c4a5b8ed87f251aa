# SPDX-License-Identifier: MIT
"""Sees and steers running processes that have Spillway: preloaded, or linked in, static ones too.

`find(pid)` is an Attachment, or None where there is no Spillway. `all_processes()` are those of the
machine that we may look at. What goes wrong is a UserError of one line.

Looking costs the process nothing that it would notice; it is not stopped, but for some microseconds
where its threads sleep, or are busy elsewhere: see wake.py.
"""

import dataclasses
import json
import os
import time

from spillway_cli.attach import mailbox, memory, note, status, wake
from spillway_cli.errors import UserError

FIRST_SECONDS = 0.02  # in which a thread of the process, if one works, sees the knock
ANSWER_SECONDS = 5.0  # until a thread serves
WORK_SECONDS = 60.0  # until a request that was begun is done
MAX_TRIES = 20  # where several tools ask at once


def _no_process(pid):
    return UserError(f"no process {pid}")


def _not_allowed(pid):
    """Why we may not look at a process, as far as /proc tells."""
    found = status.fields(pid)
    if not found:
        return _no_process(pid)
    users = found.get("Uid", "").split()
    if str(os.geteuid()) not in users and os.geteuid() != 0:
        return UserError(f"process {pid} is another user's: not allowed to look at it")
    if len(set(users)) > 1 or len(set(found.get("Gid", "").split())) > 1:
        return UserError(f"process {pid} is setuid or setgid: not allowed to look at it")
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
            scope = int(file.read())
    except (OSError, ValueError):
        scope = 0
    if scope > 0:
        hint = "; with SPILLWAY_CONTROL=user it lets its own user" if scope == 1 else ""
        return UserError(
            f"process {pid}: not allowed to look at it (kernel.yama.ptrace_scope is {scope}){hint}"
        )
    return UserError(
        f"process {pid}: not allowed to look at it: it is privileged, or closed to debuggers"
    )


def _open(pid):
    """(memory, notes)"""
    opened = None
    try:
        opened = memory.Memory(pid)
        return opened, note.find(pid, opened)
    except PermissionError as error:
        raise _not_allowed(pid) from error
    except (FileNotFoundError, ProcessLookupError, memory.Gone) as error:
        if opened is not None and os.path.exists(f"/proc/{pid}"):  # a zombie, or a kernel's thread
            return opened, []
        raise _no_process(pid) from error


def find(pid):
    """The Attachment of the process, or None when it has no Spillway. UserError: no such process, or
    not allowed."""
    opened, notes = _open(pid)
    return Attachment(pid, opened, notes[0]) if notes else None


@dataclasses.dataclass(frozen=True)
class Process:
    """A process under Spillway, as all_processes() lists it."""

    pid: int
    name: str
    how: str  # "preloaded", "linked" or "static"
    version: str
    path: str  # of the file that Spillway is in: the library or the program
    control: str  # "open", or why not: "off", "privileged", "other heap", "not started"


def all_processes():
    """The processes of the machine under Spillway that we may look at, by number. Some hundred
    microseconds for each process; nothing is asked of them."""
    found = []
    for name in sorted((name for name in os.listdir("/proc") if name.isdecimal()), key=int):
        try:
            attachment = find(int(name))
            if attachment is not None:
                found.append(attachment.describe())
        except (UserError, OSError):  # ended meanwhile, or not for us
            pass
    return found


class Attachment:
    """A process with Spillway in it. Holds no lock; it may end or exec at any time, which is a
    UserError at the next call."""

    def __init__(self, pid, opened, found):
        self.pid = pid
        self.note = found
        self.version = found.version
        self.how = found.how
        self.path = found.path
        self._memory = opened
        self._mailbox = mailbox.Mailbox(opened, found)
        self._same_clock = mailbox.same_clock(pid)

    def close(self):
        self._memory.close()

    def describe(self):
        """A Process."""
        name = status.fields(self.pid).get("Name", "")
        with self._watching_its_end():
            return Process(
                self.pid, name, self.how, self.version, self.path, self._mailbox.state()
            )

    def snapshot(self, max_age=0.05):
        """The process's statistics, as a dict: those of its JSON."""
        return json.loads(self.snapshot_text(max_age))

    def snapshot_text(self, max_age=0.05):
        """The same as bytes. At most `max_age` seconds old; 0: taken from now on. A second
        call within three seconds finds the process at it."""
        with self._watching_its_end():
            self._require_open()
            before = self._mailbox.answers()
            watch = self._mailbox.watch()
            text = None
            if self._same_clock and before.snapshot.length != 0:
                if mailbox.age_seconds(before.snapshot) <= max_age:
                    text = self._mailbox.read_snapshot(before.snapshot)
            return text if text is not None else self._wait_for_snapshot(before, watch)

    def latest(self, max_age=5.0):
        """The newest snapshot, as a dict, if one lies ready that is at most `max_age` seconds old, else
        None: nothing is asked of the process."""
        with self._watching_its_end():
            newest = self._mailbox.answers().snapshot
            if not self._same_clock or newest.length == 0 or mailbox.age_seconds(newest) > max_age:
                return None
            text = self._mailbox.read_snapshot(newest)
            return None if text is None else json.loads(text)

    def request(self, text):
        """What the process answers to a command such as "purge": text. Its complaint is a
        UserError."""
        return self.request_bytes(text).decode("utf-8", "replace")

    def request_bytes(self, text):
        """The same of a command whose answer is no text, such as "profile dump"."""
        data = text.encode("ascii", "replace")
        if len(data) > mailbox.MAX_REQUEST:
            raise UserError(f"a request has at most {mailbox.MAX_REQUEST} characters")
        with self._watching_its_end():
            self._require_open()
            for _ in range(MAX_TRIES):
                self._let_others_finish()
                answer = self._ask(data)
                if answer is not None:
                    found, is_error = answer
                    if is_error:
                        complaint = found.decode("utf-8", "replace")
                        raise UserError(f"process {self.pid}: {complaint}")
                    return found
        raise UserError(f"process {self.pid}: too many others ask it at this moment")

    # --- one request ---

    def _let_others_finish(self):
        """Waits while another tool's request is under way; one that is not taken is given up."""
        pending, until = self._mailbox.pending(), time.monotonic() + 1
        while pending is not None and time.monotonic() < until:
            time.sleep(0.002)
            now = self._mailbox.pending()
            if now != pending:
                pending, until = now, time.monotonic() + 1

    def _ask(self, data):
        """(text, whether it is an error), or None when another tool came between."""
        before = self._mailbox.answers()
        identity = self._mailbox.post(data)

        def state():
            answers = self._mailbox.answers()
            if answers.answered == identity:
                return answers
            return False if self._mailbox.pending() not in (None, identity) else None

        answers = self._wait(before, state)
        return self._mailbox.read_answer(identity, answers) if answers else None

    def _wait_for_snapshot(self, before, watch):
        def state():
            answers = self._mailbox.answers()
            newest = answers.snapshot
            # Another tool's question may have replaced ours: what was begun after is as good.
            fresh = newest.watch == watch or newest.number >= before.snapshot.number + 2
            if fresh and newest.length != 0:
                return self._mailbox.read_snapshot(newest)
            return None

        return self._wait(before, state)

    def _wait(self, before, state):
        """Knocks until state() is not None, and returns that; wakes the process if no thread serves."""
        self._mailbox.knock()
        start = time.monotonic()
        pause, woken = 0.0005, False
        looks = before.looks
        limit = start + ANSWER_SECONDS
        while True:
            found = state()
            if found is not None:
                return found
            now = time.monotonic()
            answers = self._mailbox.answers()
            if answers.looks != looks:  # a thread serves
                looks, limit = answers.looks, now + WORK_SECONDS
            elif not woken and now > start + FIRST_SECONDS:
                if status.hidden_thread(self.pid) is None:
                    wake.wake(self.pid, self._memory, self.note, self._mailbox)
                    self._mailbox.knock()
                    woken = True
            if now > start + 0.5 and status.fields(self.pid).get("State", "")[:1] in ("T", "t"):
                raise UserError(f"process {self.pid}: it is stopped")
            if now > limit:
                raise UserError(f"process {self.pid}: no answer")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.01)

    # --- what the process is like ---

    def _require_open(self):
        if self.note.protocol != mailbox.PROTOCOL:
            raise UserError(
                f"process {self.pid} has Spillway {self.version}, whose control page is of protocol "
                f"{self.note.protocol}: this tool knows {mailbox.PROTOCOL}"
            )
        state = self._mailbox.state()
        reasons = {
            "off": "control is off there (option control)",
            "privileged": "it is privileged, and can't be seen or steered",
            "other heap": "the heap of a sanitizer or of Valgrind serves it",
            "not started": "Spillway has not started there",
        }
        if state != "open":
            raise UserError(f"process {self.pid}: {reasons.get(state, 'an unknown state')}")

    def _watching_its_end(self):
        return _WatchingItsEnd(self.pid)


class _WatchingItsEnd:
    """Whatever the end of the process, or its exec, leads to in the block is one UserError."""

    def __init__(self, pid):
        self._pid = pid

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, (memory.Gone, OSError)):
            what = "has ended" if not status.fields(self._pid) else "runs another program now"
            raise UserError(f"process {self._pid} {what}") from error
        return False
