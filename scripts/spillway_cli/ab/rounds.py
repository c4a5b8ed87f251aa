# SPDX-License-Identifier: MIT
"""One program under every allocator: a warm-up that verifies, then measured rounds, interleaved.

A program that tells what it still holds after its work (`left_after_load` in bench/programs) is run
some more times for that, not timed, since it waits there.

Rounds are those of harness.rounds: a round counts only when it is complete. An allocator that fails is left out of
what follows and says why; when the baseline fails, so does the program.
"""

import dataclasses
import hashlib
import signal
import statistics

from spillway_cli.ab import measure, verify
from spillway_cli.allocators import BASELINE

from harness.rounds import interleaved
from report.curves import thinned


LEFT_VARIABLE = "LEFT_KIB_FILE"  # names the file where a program writes it


@dataclasses.dataclass
class Result:
    allocator: str
    samples: list = dataclasses.field(default_factory=list)
    failure: str | None = None
    notes: list = dataclasses.field(default_factory=list)
    memory: list = dataclasses.field(default_factory=list)  # (ms, KiB) of the warm-up that is watched
    left: list = dataclasses.field(default_factory=list)  # bytes after the load, of servers

    def median_left(self):
        """None: the program does not tell."""
        return statistics.median(self.left) if self.left and not self.failure else None


@dataclasses.dataclass
class Comparison:
    program: object
    results: dict  # allocator name -> Result
    failure: str | None = None  # of the program as such
    notes: list = dataclasses.field(default_factory=list)

    @property
    def baseline(self):
        return self.results[BASELINE]

    def rounds(self):
        return len(self.baseline.samples)


@dataclasses.dataclass
class _Run:
    sample: measure.Sample
    output: str  # a digest
    complaint: str  # the last line of stderr


class Rounds:
    """`comparison` can be read at any time, also after KeyboardInterrupt.

    `tell` is called before every run, `between` before every measured one.
    """

    def __init__(self, program, allocators, logs, tell=lambda text: None, between=lambda: None):
        self.program = program
        self.allocators = allocators
        self.logs = logs
        self.tell = tell
        self.between = between
        self.comparison = Comparison(program, {a.name: Result(a.name) for a in allocators})
        self._expected = None  # the baseline's _Run
        self._output_is_stable = True

    def measure(self, count, left_runs=1):
        self._warm_up()
        for index in range(1, left_runs):
            self._measure_left(index, left_runs)
        interleaved(count, self._ready, self._measured, self._keep, self.tell, self.between)

    def _alive(self):
        return [a for a in self.allocators if not self.comparison.results[a.name].failure]

    def _ready(self):
        return [] if self.comparison.failure else [(a.name, a) for a in self._alive()]

    def _measured(self, allocator):
        done = self._run(allocator)
        self._judge(allocator, done)
        return done.sample

    def _keep(self, found):
        for name, sample in found:
            if not self.comparison.results[name].failure:
                self.comparison.results[name].samples.append(sample)

    def _warm_up(self):
        baseline = next(a for a in self.allocators if a.name == BASELINE)
        self.tell(f"warm-up, {BASELINE}")
        self._expected = self._run(baseline)
        reason = _unusable(self._expected, self.program)
        if reason is not None:
            self.comparison.failure = f"fails under {BASELINE}: {reason}"
            return
        self.tell(f"warm-up, {BASELINE} again")
        again = self._verified(baseline)
        if self._expected.sample.status != 0:
            self.comparison.notes.append(f"its exit status is {self._expected.sample.status}")
        if again.output != self._expected.output:
            self._output_is_stable = False
            self.comparison.notes.append("its output varies from run to run and is not compared")
        self._judge(baseline, again)
        for allocator in self._alive():
            if allocator is not baseline:
                self.tell(f"warm-up, {allocator.name}")
                self._judge(allocator, self._verified(allocator))

    def _verified(self, allocator):
        variables = self._told_to_wait(allocator)
        with verify.Watch(allocator.library, self.program.command, variables) as watch:
            done = self._run(allocator, variables)
        self._take_left(allocator)
        result = self.comparison.results[allocator.name]
        result.memory = thinned(watch.memory)
        if watch.strangers and not watch.users:
            reasons = (f"{program} ({why})" for program, why in sorted(watch.strangers.items()))
            result.failure = "not the allocator in use in " + ", ".join(reasons)
        else:
            for program, why in sorted(watch.strangers.items()):
                result.notes.append(f"{program} ran without {allocator.name} ({why})")
        return done

    def _measure_left(self, index, count):
        for allocator in self._alive():
            if not self.comparison.failure and self.comparison.results[allocator.name].left:
                self.tell(f"after the load {index + 1} of {count}, {allocator.name}")
                self._judge(allocator, self._run(allocator, self._told_to_wait(allocator)))
                self._take_left(allocator)

    def _told_to_wait(self, allocator):
        """The variables of a run that tells what is left, if the program can."""
        self._left_file(allocator).unlink(missing_ok=True)
        return {**allocator.variables, LEFT_VARIABLE: self._left_file(allocator)}

    def _take_left(self, allocator):
        file = self._left_file(allocator)
        text = file.read_text(encoding="ascii").strip() if file.exists() else ""
        if text.isdecimal():
            self.comparison.results[allocator.name].left.append(int(text) * 1024)

    def _left_file(self, allocator):
        return self.logs / f"{self.program.name}.{allocator.name}.left"

    def _run(self, allocator, variables=None):
        stem = self.logs / f"{self.program.name}.{allocator.name}"
        with open(f"{stem}.stdout", "w+b") as stdout, open(f"{stem}.stderr", "w+b") as stderr:
            sample = measure.run(
                self.program.command, allocator.library, stdout, stderr, variables or allocator.variables
            )  # fmt: skip
            stdout.seek(0)
            output = hashlib.file_digest(stdout, "sha256").hexdigest()
            stderr.seek(0)
            lines = stderr.read().decode(errors="replace").strip().splitlines()
        return _Run(sample, output, lines[-1].strip() if lines else "")

    def _judge(self, allocator, done):
        result = self.comparison.results[allocator.name]
        if result.failure is None:
            result.failure = self._difference(done)
        if result.failure is not None and allocator.name == BASELINE:
            self.comparison.failure = f"fails under {BASELINE}: {result.failure}"

    def _difference(self, done):
        """How the run differs from the baseline's, or None."""
        sample, expected = done.sample, self._expected.sample
        if sample.timed_out:
            return f"did not end within {measure.LONGEST_RUN:.0f} s"
        if sample.left_behind and not expected.left_behind:
            return "left processes running"
        if sample.status != expected.status:
            return _with(describe_status(sample.status), done.complaint)
        if self._output_is_stable and done.output != self._expected.output:
            return _with(f"output differs from {BASELINE}'s", done.complaint)
        return None


def _unusable(run, program):
    """Why there is nothing to measure: a status other than 0 is fine for a user's own command."""
    status = run.sample.status
    if run.sample.timed_out:
        return f"did not end within {measure.LONGEST_RUN:.0f} s"
    if status == 0 or (program.folder is None and 0 < status < 126):
        return None
    return _with(describe_status(status), run.complaint)


def describe_status(status):
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _with(reason, complaint):
    return f"{reason}: {complaint}" if complaint else reason
