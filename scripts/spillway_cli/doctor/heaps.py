# SPDX-License-Identifier: MIT
"""What processes under Spillway tell of their heaps: while they run, at looks, and in files at their end."""

import dataclasses
import json

from spillway_cli import attach, pprof, process
from spillway_cli.errors import UserError
from spillway_cli.figures import reading

# Bytes between two samples: a sampled small block takes a page, so small blocks grow by a sixteenth, and
# 100 MiB are known to 2.5 per cent.
RATE = 1 << 16
MAX_FAILURES = 5  # looks at a process that told nothing
MAX_ABSENCES = 3  # looks at a process without Spillway that it may still be starting at; 0.1 s


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


def live_of(snapshot):
    """A sampled small block has a page of the pool's: so many are taken for small ones as there are samples
    on average."""
    small = snapshot.get("mimalloc_live_bytes") or 0
    pages = next((one["live_bytes"] for one in snapshot.get("classes", ()) if one["block_size"] == 4096), 0)
    samples = min(pages, 4096 * small // RATE)
    middle = max(0, snapshot.get("pool_live_bytes", 0) - samples)
    return Live(small, middle, snapshot.get("large_live_bytes", 0))


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
        if heap.failures >= MAX_FAILURES:
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
            if heap.absences >= MAX_ABSENCES and not heap.statistics
        }

    def _drop(self, pid):
        attachment = self._attachments.pop(pid, None)
        if attachment is not None:
            attachment.close()

    def close(self):
        for pid in list(self._attachments):
            self._drop(pid)
