# SPDX-License-Identifier: MIT
"""Progress on a terminal: what runs now, how long it has taken, how long it may still take."""

import sys
import time

FEWEST_RUNS = 3  # before an estimate


class Progress:
    """Counts runs; all take the same time, as far as the estimate goes. Silent when nobody watches."""

    def __init__(self, programs, rounds, allocators, width, stream=sys.stderr):
        self._each = allocators * (rounds + 1) + 1  # runs of one program, the baseline's second included
        self._total = programs * self._each
        self._width = width
        self._stream = stream
        self._begin = time.monotonic()
        self._done = self._programs = 0

    def program(self):
        """The next program begins; the last one may have stopped early."""
        self._done = self._programs * self._each
        self._programs += 1

    def run(self, text):
        """A run begins."""
        times = f"{_duration(time.monotonic() - self._begin)} gone"
        if self._done >= FEWEST_RUNS:
            times += f", about {_duration(self.left())} left"
        self._show(f"{text}; {times}")
        self._done += 1

    def left(self):
        """Seconds, from the runs so far."""
        done = max(self._done, 1)
        return (time.monotonic() - self._begin) / done * max(self._total - self._done, 0)

    def clear(self):
        self._show("")

    def _show(self, text):
        if self._stream.isatty():
            self._stream.write(f"\r\033[K{text[: self._width - 1]}")
            self._stream.flush()


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
