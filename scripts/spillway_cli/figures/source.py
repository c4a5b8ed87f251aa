"""Where the readings of a running process come from, and how a user's PID or NAME becomes one.

`attach` is the package spillway_cli.attach, or in tests what stands in for it: `find(pid)` and
`all_processes()`.
"""

import os
import time

from spillway_cli import attach as real_attach
from spillway_cli import process
from spillway_cli.errors import UserError
from spillway_cli.figures import reading
from spillway_cli.figures.text import printable

MOST_NAMED = 8  # processes of one name that a message lists
STOPPED = ("T", "t")
OPTIONS_SECONDS = 10.0  # for which options that were read are shown; they seldom change


class LiveSource:
    """Readings of process `pid`; finds Spillway anew when the process has executed another program.

    `read()` raises Ended, or NoAnswer while the process is stopped or does not react.
    """

    def __init__(self, pid, attach=real_attach):
        self.pid = pid
        self._attach = attach
        figures = reading.process_figures(pid)
        if figures is None:
            raise UserError(f"no process {pid}")
        self._started = figures.started
        self._name = printable(reading.short_name(pid) or "?")
        self._options, self._options_until = {}, 0.0
        self._attachment = attach.find(pid)
        if self._attachment is None:
            raise UserError(f"process {pid} ({self._name}) runs without Spillway")

    def read(self):
        if self._require_alive().state in STOPPED:
            raise reading.NoAnswer(f"process {self.pid} ({self._name}) is stopped")
        begun = time.monotonic()
        snapshot = self._snapshot()
        when = (begun + time.monotonic()) / 2
        own = {
            "pid": self.pid,
            "program": reading.short_name(self.pid) or "?",
            "version": self._attachment.version,
            "how": self._attachment.how,
        }
        return reading.Reading(own | snapshot, self._require_alive(), when, self._read_options())

    def _read_options(self):
        now = time.monotonic()
        if now >= self._options_until:
            self._options_until = now + OPTIONS_SECONDS
            try:
                self._options = parse_options(self._attachment.request("get"))
            except UserError:  # it has just ended, or others ask it all the time
                self._options = {}
        return self._options

    def _snapshot(self):
        try:
            return self._attachment.snapshot(max_age=0)
        except UserError as error:
            self._require_alive()
            if self._is_there():
                raise reading.NoAnswer(str(error)) from error
            self._attachment.close()
            self._options_until = 0.0
            self._attachment = self._attach.find(self.pid)
        if self._attachment is None:
            raise reading.Ended(f"process {self.pid} ({self._name}) runs another program, without Spillway")
        return self._attachment.snapshot(max_age=0)

    def _is_there(self):
        """Whether the attachment still sees the program that it was made for."""
        try:
            self._attachment.describe()
        except UserError:
            return False
        return True

    def _require_alive(self):
        figures = reading.process_figures(self.pid)
        if figures is None or figures.started != self._started:
            raise reading.Ended(f"process {self.pid} ({self._name}) has ended")
        return figures


def parse_options(text):
    """{name: value} of lines such as `limit = none (default)`."""
    found = {}
    for line in text.splitlines():
        name, equals, rest = line.partition(" = ")
        if equals:
            found[name] = rest.rpartition(" (")[0]
    return found


def _names(one):
    """What a user may call the process: by its name, its file, or the command that started it."""
    try:
        files = [process.executable(one.pid) or "", *process.arguments(one.pid)[:1]]
    except PermissionError:
        files = []
    # Some write a title, such as `redis-server *:6379`, over their arguments.
    return {one.name} | {os.path.basename(word) for file in files for word in file.split()[:1]}


def choose(text, attach=real_attach):
    """The pid that a user's PID or NAME means."""
    if text.isdecimal():
        return int(text)
    found = sorted(one.pid for one in attach.all_processes() if text in _names(one))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"no process '{printable(text)}' under Spillway; `spillway ps` lists them")
    pids = " ".join(str(pid) for pid in found[:MOST_NAMED])
    more = " ..." if len(found) > MOST_NAMED else ""
    raise UserError(f"{len(found)} processes are called '{printable(text)}': {pids}{more}")
