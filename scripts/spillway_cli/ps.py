# SPDX-License-Identifier: MIT
"""`spillway ps`: the processes of this machine that run with Spillway, preloaded or linked.

Nothing is asked of them: only what /proc tells and what lies ready in their memory.
"""

import dataclasses
import json
import os
import pwd
import shutil
import sys
import time

from spillway_cli import attach, process
from spillway_cli.arguments import seconds
from spillway_cli.errors import UserError, usage_error
from spillway_cli.figures import memory, reading, units
from spillway_cli.figures.text import cells, clip, left, printable, right

MAX_NAME = 24  # cells of a program's name
DEFAULT_DELAY = "1000"
WATCH_SECONDS = 2
CLEAR = "\x1b[H\x1b[J"  # cursor to the top, and nothing below it
# Fields of Entry, in the order of the columns.
HEADINGS = (
    ("pid", "PID"), ("user", "USER"), ("program", "PROGRAM"), ("how", "HOW"), ("version", "VERSION"),
    ("up", "UP"), ("resident", "RESIDENT"), ("live", "LIVE"), ("purge", "PURGE"),
)  # fmt: skip
RIGHT = {"pid", "up", "resident", "live"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A process; None for what can't be known without asking it."""

    pid: int
    user: str
    program: str
    version: str | None
    how: str  # preloaded, linked or static
    up_seconds: float
    resident_bytes: int
    live_bytes: int | None
    control: str  # "open", or why the process does not answer
    purge: str | None  # when free memory goes back, and whether a thread of its own sees to it

    def cell(self, field):
        if field == "up":
            return units.duration_text(self.up_seconds)
        if field in ("resident", "live"):
            return units.bytes_text(getattr(self, f"{field}_bytes"))
        value = getattr(self, field)
        if field == "how" and self.control != "open":
            value = f"{value} ({self.control})"
        text = units.UNKNOWN if value is None else printable(str(value))
        return clip(text, MAX_NAME) if field == "program" else text


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "ps",
        help="list the processes of this machine that run with Spillway",
        description="Lists the processes with Spillway that you may look at: your own, as root all. "
        "LIVE is there while a tool watches the process.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one object, for programs")
    how.add_argument(
        "--watch", nargs="?", type=seconds, const=WATCH_SECONDS, metavar="SECONDS",
        help=f"again every so many seconds ({WATCH_SECONDS}), on a terminal, until Ctrl-C",
    )  # fmt: skip
    parser.set_defaults(handler=handle)


def handle(arguments):
    if arguments.watch is not None:
        return watch(arguments.watch)
    entries, refused = collect()
    if arguments.json:
        print(json.dumps({"processes": [dataclasses.asdict(one) for one in entries], "not_allowed": refused}))
    else:
        print(layout(entries, refused))
    return 0


def watch(interval):
    if not sys.stdout.isatty():
        raise usage_error("ps: --watch needs a terminal")
    while True:
        width, height = shutil.get_terminal_size()
        lines = fit(layout(*collect()).splitlines(), width, height)
        print(CLEAR + "\n".join(lines), end="", flush=True)
        time.sleep(interval)


def fit(lines, width, height):
    """As much as a terminal has room for, and how much that is not."""
    if len(lines) > height:
        left_out = len(lines) - height + 1
        lines = lines[: height - 1] + [f"{left_out} more {'lines' if left_out > 1 else 'line'}"]
    return [clip(line, width) for line in lines]


def layout(entries, refused):
    """The table, by pid, as wide as it has to be; and how many processes it can't tell of."""
    rows = [[heading for _, heading in HEADINGS]]
    rows += [[one.cell(field) for field, _ in HEADINGS] for one in sorted(entries, key=lambda one: one.pid)]
    widths = [max(cells(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = []
    for row in rows:
        columns = zip(HEADINGS, row, widths)
        line = "  ".join(
            right(text, width) if field in RIGHT else left(text, width)
            for (field, _), text, width in columns
        )
        lines.append(line.rstrip())
    if not entries:
        lines = ["No process that you may look at runs with Spillway."]
    if refused:
        lines.append(f"{refused} other {'processes' if refused > 1 else 'process'}: not allowed to look.")
    return "\n".join(lines)


def purge_mode(variables, preloaded):
    """`1 s`, `never`, `5 s, no thread`: what the process was started with, by its environment.

    None where that can't be known: a process may write over its environment, as redis does to set
    its title; then what preloaded the library is not in it.
    """
    if variables is None or (preloaded and not _names_library(variables)):
        return None
    options = {}
    for entry in variables.get("SPILLWAY_CONF", "").split(","):
        name, colon, value = entry.partition(":")
        if colon:
            options[name.strip()] = value.strip()
    delay = variables.get("SPILLWAY_PURGE_DELAY") or options.get("purge_delay") or DEFAULT_DELAY
    thread = variables.get("SPILLWAY_PURGE_THREAD") or options.get("purge_thread") or "1"
    if delay in ("never", "-1"):
        return "never"
    text = units.seconds_text(int(delay) / 1000) if delay.isdecimal() else "1 s"
    return text if thread != "0" else f"{text}, no thread"


def _names_library(variables):
    return any("libspillway" in name for name in process.preload_list(variables))


def collect(found=None):
    """(Entry of each process, how many other processes we may not look at)."""
    found = attach.all_processes() if found is None else found
    entries = [entry for entry in map(_entry, found) if entry is not None]
    return entries, _closed({one.pid for one in found})


def _entry(one):
    """None when the process is gone."""
    figures = reading.process_figures(one.pid)
    if figures is None:
        return None
    try:
        variables = process.environment(one.pid)
    except PermissionError:
        variables = None
    return Entry(
        pid=one.pid,
        user=_user(one.pid),
        program=one.name,
        version=one.version,
        how=one.how,
        control=one.control,
        up_seconds=round(reading.up_seconds(figures), 2),
        resident_bytes=figures.resident,
        live_bytes=_live(one.pid),
        purge=purge_mode(variables, one.how == "preloaded"),
    )


def _live(pid):
    """By the statistics that lie ready because a tool watches the process; None without."""
    try:
        attachment = attach.find(pid)
        snapshot = attachment and attachment.latest()
    except UserError:
        return None
    return memory.live(snapshot) if snapshot else None


def _user(pid):
    """The name of the process's owner, or the number where it has none."""
    try:
        number = os.stat(f"/proc/{pid}").st_uid
        return pwd.getpwuid(number).pw_name
    except FileNotFoundError:
        return "?"
    except KeyError:
        return str(number)


def _closed(seen):
    """The number of processes, the kernel's own apart, whose mappings we may not see."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) not in seen:
            try:
                with open(f"/proc/{name}/maps", "rb") as file:
                    file.read(1)
            except PermissionError:
                count += not _is_kernel_thread(name)
            except (FileNotFoundError, ProcessLookupError):
                pass
    return count


def _is_kernel_thread(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            flags = int(file.read().rpartition(b")")[2].split()[6])
    except (FileNotFoundError, ProcessLookupError):
        return True
    return bool(flags & 0x00200000)  # PF_KTHREAD
