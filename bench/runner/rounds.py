# SPDX-License-Identifier: MIT
"""Runs the chosen suites round by round: within a round every allocator once, in an order that moves
on by one each round, so that a slow moment of the machine does not fall on one of them alone."""

import sys
import time

from report.noise import Noise
from runner.allocators import tuning
from runner.suites import SUITES, SuiteFailed, suite_of
from runner.verdicts import Figures


class Campaign:
    """What a whole run found; filled by run(). After KeyboardInterrupt, by the rounds done so far."""

    def __init__(self, allocators, rounds=None, fewest=0):
        """rounds: how many of each suite; without it the suite's own number, at least `fewest`."""
        self.allocators = allocators
        self.rows = {}  # row -> allocator -> one figure per round
        self.disturbed = {}  # (row, allocator) -> rounds
        self.failures = {}  # (suite, allocator) -> message
        self.context = {}
        self.units = {}  # row -> unit, if not the suite's
        self.series = {}  # suite -> name -> allocator -> what a round found, one per round
        self.done = {}  # suite -> complete rounds
        self.interrupted = False
        self.noise = Noise()
        self.environment = tuning()
        self._rounds = rounds
        self._fewest = fewest

    def rounds_of(self, suite, length):
        if SUITES[suite].counted:
            return 1
        return self._rounds or max(self._fewest, SUITES[suite].rounds[length])

    def unit_of(self, row):
        return self.units.get(row, suite_of(row).unit)

    def figures(self):
        often = {key for key, rounds in self.disturbed.items()
                 if 2 * rounds > len(self.rows[key[0]].get(key[1], []))}
        return Figures(self.rows, often)

    def rows_of(self, suite):
        return {row: columns for row, columns in self.rows.items() if SUITES[suite].owns(row)}

    def run(self, chosen, programs, length):
        progress = _Progress(sum(self.rounds_of(suite, length) for suite in chosen))
        try:
            for suite in chosen:
                rounds = self.rounds_of(suite, length)
                for number in range(rounds):
                    progress.step(f"{suite}: round {number + 1} of {rounds}")
                    self.noise.sample()
                    found = self._round(SUITES[suite], number, programs, length)
                    self._keep(suite, found)
        except KeyboardInterrupt:
            self.interrupted = True
        progress.end()
        # Rounds are compared pairwise: what failed on the way has no comparable figures.
        for suite in self.done:
            SUITES[suite].derive(self.series.get(suite, {}), self.rows)
        for suite, name in self.failures:
            for columns in self.rows_of(suite).values():
                columns.pop(name, None)

    def _round(self, suite, number, programs, length):
        """[(allocator's name, Outcome)]. Nothing is kept of a round that is not complete."""
        ready = [one for one in self.allocators
                 if suite.takes(one) and (suite.name, one.name) not in self.failures]
        arguments = suite.arguments[length]
        if suite.together:
            return self._together(suite, number, ready, programs, arguments)
        turn = number % max(1, len(ready))
        found = [(one.name, self._attempt(suite, one.name, programs, one, arguments))
                 for one in ready[turn:] + ready[:turn]]
        return [(name, outcome) for name, outcome in found if outcome]

    def _together(self, suite, number, ready, programs, arguments):
        """One process measures all, so one that can't start is found out, alone, before the first."""
        if number == 0:
            for one in ready:
                self._attempt(suite, one.name, programs, [one], suite.arguments["smoke"])
            ready = [one for one in ready if (suite.name, one.name) not in self.failures]
        if not ready or (suite.name, "all") in self.failures:
            return []
        outcome = self._attempt(suite, "all", programs, ready, arguments)
        return [("all", outcome)] if outcome else []

    def _attempt(self, suite, name, programs, allocators, arguments):
        try:
            return suite.measure(programs, allocators, arguments)
        except SuiteFailed as error:
            self.failures[suite.name, name] = str(error)
        except KeyError as error:
            self.failures[suite.name, name] = f"its report has no {error}"
        return None

    def _keep(self, suite, found):
        self.done[suite] = self.done.get(suite, 0) + 1
        for name, outcome in found:
            self.context = self.context or outcome.context
            for row, columns in outcome.figures.items():
                for allocator, figure in columns.items():
                    self.rows.setdefault(row, {}).setdefault(allocator, []).append(figure)
            self.units.update(outcome.units)
            for key in outcome.disturbed:
                self.disturbed[key] = self.disturbed.get(key, 0) + 1
            kept = self.series.setdefault(suite, {})
            for series, data in outcome.series.items():
                kept.setdefault(series, {}).setdefault(name, []).append(data)


class _Progress:
    """One line on a terminal that the next overwrites; nothing when nobody watches."""

    def __init__(self, steps):
        self._steps = steps
        self._done = 0
        self._begin = time.monotonic()

    def step(self, text):
        passed = time.monotonic() - self._begin
        self._done += 1
        self._tell(f"{passed / 60:.0f} min, step {self._done} of {self._steps}: {text}")

    def end(self):
        self._tell("")

    @staticmethod
    def _tell(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
