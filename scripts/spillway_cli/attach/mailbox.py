# SPDX-License-Identifier: MIT
"""The tool's side of the control page (alloc/control/page.h): snapshots and requests."""

import dataclasses
import os
import secrets
import struct
import time

PROTOCOL = 1

WATCH, LEASE, REQUEST, TEXT, MAX_REQUEST = 0, 8, 12, 32, 480
ANSWERS = struct.Struct("<QQQQQIIQQ8QII")  # from `looks` on
ANSWERS_AT, BEGUN_AT = 512, 560
KNOCK, STATE = 0, 4
STATES = ("not started", "open", "off", "privileged", "other heap")
WOKEN = ("never", "started", "there", "no thread", "closed")

LEASE_MS = 3000


@dataclasses.dataclass(frozen=True)
class Snapshot:
    number: int
    watch: int
    taken_ns: int
    address: int
    length: int


@dataclasses.dataclass(frozen=True)
class Answers:
    """The process's half of the page."""

    looks: int
    answering: int
    answered: int
    address: int
    length: int
    is_error: int
    process: int
    begun: int
    snapshot: Snapshot  # the newest; length 0: none
    wakes: int
    woken: str


def checksum(identity, text):
    """FNV-1a over both."""
    value = 0xCBF29CE484222325
    for byte in struct.pack("<Q", identity) + text:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


class Mailbox:
    """Over the memory of a process that has such a page. Errors are memory.Memory's."""

    def __init__(self, memory, note):
        self._memory = memory
        self._note = note

    def state(self):
        number = struct.unpack("<I", self._memory.read(self._note.gate + STATE, 4))[0]
        return STATES[number] if number < len(STATES) else "unknown"

    def knock(self):
        self._memory.write(self._note.gate + KNOCK, struct.pack("<I", 1))

    def answers(self):
        data = self._memory.read(self._note.page + ANSWERS_AT, ANSWERS.size)
        values = ANSWERS.unpack(data)
        begun, published = values[7:9]
        at = 9 + 4 * (published % 2)
        watch, taken, address, length = values[at : at + 4]
        wakes, woken = values[17:]
        return Answers(
            *values[:7],
            begun=begun,
            snapshot=Snapshot(published, watch, taken, address, length if published else 0),
            wakes=wakes,
            woken=WOKEN[woken] if woken < len(WOKEN) else "unknown",
        )

    def watch(self):
        """Asks for a snapshot, and renews the lease; returns the number that it answers."""
        number = secrets.randbits(63) + 1
        self._memory.write(self._note.page + LEASE, struct.pack("<I", LEASE_MS))
        self._memory.write(self._note.page + WATCH, struct.pack("<Q", number))
        return number

    def read_snapshot(self, snapshot):
        """Its text; None when it was replaced meanwhile."""
        text = self._text(snapshot.address, snapshot.length)
        begun = struct.unpack("<Q", self._memory.read(self._note.page + BEGUN_AT, 8))[0]
        return text if text is not None and begun < snapshot.number + 2 else None

    def pending(self):
        """The request that is on the page and not answered yet, perhaps another tool's, or None."""
        identity = struct.unpack("<Q", self._memory.read(self._note.page + 24, 8))[0]
        return identity if identity not in (0, self.answers().answered) else None

    def post(self, text):
        """Puts a request on the page and returns its number."""
        identity = secrets.randbits(63) + 1
        page = self._note.page
        self._memory.write(page + TEXT, text)
        self._memory.write(
            page + LEASE, struct.pack("<IIQ", LEASE_MS, len(text), checksum(identity, text))
        )
        self._memory.write(page + 24, struct.pack("<Q", identity))
        return identity

    def read_answer(self, identity, answers):
        """(text, whether it is an error); None when another answer has replaced it."""
        text = self._text(answers.address, answers.length)
        after = self.answers()
        if text is None or (after.answering, after.answered) != (identity, identity):
            return None
        return text, bool(answers.is_error)

    def _text(self, address, length):
        if length == 0:
            return b""
        try:
            return self._memory.read(address, length)
        except OSError:  # given back meanwhile
            return None


def same_clock(pid):
    """Whether the process's CLOCK_MONOTONIC is ours: not in a time namespace of its own."""
    try:
        return os.readlink(f"/proc/{pid}/ns/time") == os.readlink("/proc/self/ns/time")
    except OSError:
        return False


def age_seconds(snapshot):
    return time.monotonic() - snapshot.taken_ns * 1e-9
