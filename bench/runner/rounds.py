# SPDX-License-Identifier: MIT
"""Runs the chosen suites round by round and keeps what they find."""

from harness.progress import Progress
from harness.rounds import interleaved
from report.noise import Noise
from runner.allocators import tuning
from runner.suites import SUITES, SuiteFailed, suite_of
from runner.verdicts import Figures


class Campaign:
    """What a whole run found; filled by run(). After KeyboardInterrupt, by the rounds done so far."""

    def __init__(self, allocators, rounds=None, min_rounds=0):
        """rounds: how many of each suite; without it the suite's own number, at least `min_rounds`."""
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
        self._min_rounds = min_rounds

    def rounds_of(self, suite, length):
        if SUITES[suite].counted:
            return 1
        return self._rounds or max(self._min_rounds, SUITES[suite].rounds[length])

    def unit_of(self, row):
        return self.units.get(row, suite_of(row).unit)

    def figures(self):
        often = {key for key, rounds in self.disturbed.items()
                 if 2 * rounds > len(self.rows[key[0]].get(key[1], []))}
        times = {row for row in self.rows if suite_of(row).kind(row, self.unit_of(row)) == "time"}
        return Figures(self.rows, often, times)

    def rows_of(self, suite):
        return {row: columns for row, columns in self.rows.items() if SUITES[suite].owns(row)}

    def run(self, chosen, programs, length):
        each = max(1, len(self.allocators))
        steps = {suite: self.rounds_of(suite, length) * (1 if SUITES[suite].together else each)
                 for suite in chosen}
        self._progress = Progress(sum(steps.values()))
        over = 0
        try:
            for suite in chosen:
                self._progress.skip_to(over)
                over += steps[suite]
                self._rounds_of(SUITES[suite], programs, length)
        except KeyboardInterrupt:
            self.interrupted = True
        self._progress.clear()
        # Rounds are compared pairwise: what failed on the way has no comparable figures.
        for suite in self.done:
            SUITES[suite].derive(self.series.get(suite, {}), self.rows)
        for suite, name in self.failures:
            for columns in self.rows_of(suite).values():
                columns.pop(name, None)

    def _rounds_of(self, suite, programs, length):
        arguments = suite.arguments[length]
        if suite.together:  # one process measures all, so one that can't start is found out, alone, before
            for one in self._ready(suite):
                self._attempt(suite, one.name, programs, [one], suite.arguments["smoke"])

        def ready():
            alive = self._ready(suite)
            if suite.together:
                return [("all", alive)] if alive and (suite.name, "all") not in self.failures else []
            return [(one.name, one) for one in alive]

        def measure(item):
            name = "all" if suite.together else item.name
            return self._attempt(suite, name, programs, item, arguments)

        count = self.rounds_of(suite.name, length)
        interleaved(count, ready, measure, lambda found: self._keep(suite.name, found),
                    tell=lambda text: self._progress.step(f"{suite.name}: {text}"),
                    between=self.noise.sample)
        self.done.setdefault(suite.name, 0)  # where every allocator failed

    def _ready(self, suite):
        return [one for one in self.allocators
                if suite.takes(one) and (suite.name, one.name) not in self.failures]

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
            if outcome is None:
                continue
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
