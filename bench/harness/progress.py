# SPDX-License-Identifier: MIT
"""Progress on a terminal: what runs now, how long it has taken, how long it may still take."""

import sys
import time

MIN_STEPS = 3  # before an estimate
WIDTH = 80


class Progress:
    """One line that the next one overwrites. Counts steps; all take the same time, as far as the estimate
    goes. Silent when the output is no terminal."""

    def __init__(self, steps, stream=None):
        self._steps = steps
        self._stream = sys.stderr if stream is None else stream
        self._begin = time.monotonic()
        self._done = 0

    def add(self, steps):
        """There are so many more."""
        self._steps += steps

    def skip_to(self, done):
        """So many steps are over, some of them left out."""
        self._done = done

    def step(self, text):
        """A step begins."""
        times = f"{_duration(time.monotonic() - self._begin)} gone"
        if self._done >= MIN_STEPS:
            times += f", about {_duration(self.left())} left"
        self._show(f"{text}; {times}")
        self._done += 1

    def left(self):
        """Seconds, from the steps so far."""
        done = max(self._done, 1)
        return (time.monotonic() - self._begin) / done * max(self._steps - self._done, 0)

    def clear(self):
        self._show("")

    def _show(self, text):
        if self._stream.isatty():
            self._stream.write(f"\r\033[K{text[: WIDTH - 1]}")
            self._stream.flush()


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
