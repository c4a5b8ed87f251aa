# SPDX-License-Identifier: MIT
"""Where the readings of a running process come from: its statistics, options, and /proc."""

import time

from spillway_cli import attach, process
from spillway_cli.errors import UserError
from spillway_cli.figures import reading
from spillway_cli.figures.text import printable

STOPPED = ("T", "t")
ENDING_SECONDS = 2.0  # in which a process that lost its memory has ended
OPTIONS_SECONDS = 10.0  # for which options that were read are shown; they seldom change


class LiveSource:
    """Readings of the attachment's process; finds Spillway anew when it has executed another program.

    `read()` raises Ended, or NoAnswer while the process is stopped or does not react.
    """

    def __init__(self, attachment, find=attach.find):
        self.pid = attachment.pid
        figures = reading.process_figures(self.pid)
        self._name = printable(process.name(self.pid) or "?")
        self._started = figures and figures.started
        self._attachment, self._find = attachment, find
        self._options, self._options_until = {}, 0.0

    def read(self):
        if self._require_alive().state in STOPPED:
            raise reading.NoAnswer(f"process {self.pid} ({self._name}) is stopped")
        begun = time.monotonic()
        snapshot = self._snapshot()
        when = (begun + time.monotonic()) / 2
        own = {
            "pid": self.pid,
            "program": process.name(self.pid) or "?",
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
            self._attachment = self._find_anew()
        if self._attachment is None:
            raise reading.Ended(f"process {self.pid} ({self._name}) runs another program, without Spillway")
        return self._attachment.snapshot(max_age=0)

    def _find_anew(self):
        try:
            return self._find(self.pid)
        except UserError:
            # One that is at its end has no memory any more a moment before it counts as ended.
            until = time.monotonic() + ENDING_SECONDS
            while time.monotonic() < until:
                self._require_alive()
                time.sleep(0.01)
            raise

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
