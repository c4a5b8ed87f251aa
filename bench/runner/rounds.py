"""Runs the chosen suites round by round: within a round every allocator once, in an order that moves
on by one each round, so that a slow moment of the machine does not fall on one of them alone."""

import sys

from runner import suites
from runner.verdicts import Figures


class Campaign:
    """What a whole run found; filled by run()."""

    def __init__(self, allocators):
        self.allocators = allocators
        self.rows = {}  # row -> allocator -> one figure per round
        self.disturbed = {}  # (row, allocator) -> rounds
        self.failures = {}  # (suite, allocator) -> message
        self.context = {}
        self.units = {}  # row -> unit, where the row's name does not say it
        self.series = {}  # workload -> allocator -> memory over time, of the first round

    def figures(self):
        often = {key for key, rounds in self.disturbed.items()
                 if 2 * rounds > len(self.rows[key[0]].get(key[1], []))}
        return Figures(self.rows, often)

    def run(self, chosen, programs, length):
        for suite in chosen:
            rounds = suites.rounds_of(suite, length)
            for number in range(rounds):
                _progress(f"{suite}: round {number + 1} of {rounds}")
                self._round(suite, number, programs, length)
        _progress("")
        # Rounds are compared pairwise: what failed on the way has no comparable figures.
        for suite, name in self.failures:
            for row, columns in self.rows.items():
                if suites.suite_of(row) == suite:
                    columns.pop(name, None)

    def _round(self, suite, number, programs, length):
        ready = [one for one in self.allocators
                 if suites.wanted(suite, one) and (suite, one.name) not in self.failures]
        turn = number % max(1, len(ready))
        order = ready[turn:] + ready[:turn]
        if suite == "startup":
            self._startup(number, ready, programs, length)
            return
        runner = {"calls": suites.run_calls, "threads": suites.run_threads,
                  "memory": suites.run_memory, "pool": suites.run_pool}[suite]
        for one in order:
            self._attempt(suite, one.name, lambda one=one: runner(programs, one, length))

    def _startup(self, number, ready, programs, length):
        """One process measures all, so one that can't start is found out, alone, before the first."""
        if number == 0:
            for one in ready:
                self._attempt("startup", one.name, lambda one=one: suites.run_startup(
                    programs, [one], suites.SMOKE), keep=False)
            ready = [one for one in ready if ("startup", one.name) not in self.failures]
        if ready and ("startup", "all") not in self.failures:
            self._attempt("startup", "all", lambda: suites.run_startup(programs, ready, length))

    def _attempt(self, suite, name, run, keep=True):
        try:
            outcome = run()
        except suites.SuiteFailed as error:
            self.failures[suite, name] = str(error)
            return
        if not keep:
            return
        if not self.context:
            self.context = outcome.context
        for row, columns in outcome.figures.items():
            for allocator, figure in columns.items():
                self.rows.setdefault(row, {}).setdefault(allocator, []).append(figure)
        self.units.update(outcome.units)
        for workload, samples in outcome.series.items():
            self.series.setdefault(workload, {}).setdefault(name, samples)
        for key in outcome.disturbed:
            self.disturbed[key] = self.disturbed.get(key, 0) + 1


def _progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
