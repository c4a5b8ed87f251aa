# SPDX-License-Identifier: MIT
"""What processes under Spillway tell of their heaps; the files that they leave at their end."""

import dataclasses
import json

from spillway_cli import pprof
from spillway_cli.errors import UserError

# Bytes between two samples: a sampled small block takes a page, so small blocks grow by a sixteenth, and
# 100 MiB are known to 2.5 per cent.
RATE = 1 << 16


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
