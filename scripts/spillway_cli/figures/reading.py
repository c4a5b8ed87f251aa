# SPDX-License-Identifier: MIT
"""One look at a process: its snapshot of statistics, what /proc counts of it, and the time.

A source is any object with `pid` and `read()`, which gives a Reading or raises Ended or
NoAnswer; source.py has that of a running process.
"""

import dataclasses
import os
import time

from spillway_cli.errors import UserError

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


class Ended(UserError):
    """The process is gone, or runs another program that is not under Spillway."""


class NoAnswer(UserError):
    """The process is there, but there is no reading now; there may be one later."""


@dataclasses.dataclass(frozen=True)
class ProcessFigures:
    """From /proc/PID/stat, which everybody may read and which does not stop the process."""

    state: str  # the kernel's letter: R, S, D, T ...
    started: int  # ticks after the machine's start; with the pid, the process's identity
    threads: int
    resident: int  # bytes
    minor_faults: int
    major_faults: int
    processor_seconds: float


@dataclasses.dataclass(frozen=True)
class Reading:
    snapshot: dict
    figures: ProcessFigures
    when: float  # seconds of the monotonic clock
    options: dict = dataclasses.field(default_factory=dict)  # name: value as text; some seconds old

    @property
    def pid(self):
        return self.snapshot.get("pid")

    @property
    def program(self):
        return self.snapshot.get("program") or "?"


def parse_stat(text):
    """ProcessFigures of a line of /proc/PID/stat; None for a process that has ended (a zombie)."""
    fields = text.rpartition(b")")[2].split()  # the name before it may hold anything
    if fields[0] in (b"Z", b"X"):
        return None
    return ProcessFigures(
        state=fields[0].decode("ascii", "replace"),
        started=int(fields[19]),
        threads=int(fields[17]),
        resident=int(fields[21]) * PAGE,
        minor_faults=int(fields[7]),
        major_faults=int(fields[9]),
        processor_seconds=(int(fields[11]) + int(fields[12])) / TICK,
    )


def process_figures(pid):
    """None when there is no such process, or only its corpse."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_stat(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


def up_seconds(figures):
    """How long the process has lived, by the machine's clock since its start."""
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - figures.started / TICK)
