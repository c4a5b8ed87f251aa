# SPDX-License-Identifier: MIT
"""One program under every allocator: a warm-up that verifies, then measured rounds, interleaved.

A program that tells what it still holds after its work (`left_after_load` in bench/programs) is run
some more times for that, not timed, since it waits there. A server of the user's is asked in each
round, after its load has been timed.

Rounds are those of harness.rounds: a round counts only when it is complete. An allocator that fails is
left out of what follows and says why; when the baseline fails, so does the program.
"""

import dataclasses
import hashlib
import statistics
import subprocess

from spillway_cli.ab import measure, server, sources
from spillway_cli.ab.metric import Missing
from spillway_cli.allocators import BASELINE

from harness.rounds import interleaved
from report.curves import thinned


@dataclasses.dataclass
class Result:
    allocator: str
    samples: list = dataclasses.field(default_factory=list)
    failure: str | None = None
    notes: list = dataclasses.field(default_factory=list)
    memory: list = dataclasses.field(default_factory=list)  # (ms, KiB) of the warm-up that is watched
    left: list = dataclasses.field(default_factory=list)  # bytes after the load

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


class Stopped(Exception):
    """Nothing more can be measured of the program; the text says why."""


@dataclasses.dataclass
class _Run:
    output: str = ""  # a digest
    complaint: str = ""  # the last line of stderr
    sample: measure.Sample | None = None
    left: int | None = None
    failure: str | None = None  # why there is no sample


class Rounds:
    """`comparison` can be read at any time, also after KeyboardInterrupt.

    `tell` is called before every run, `between` before every measured one; `more` with the number of
    runs that the program takes beside warm-ups and rounds.
    """

    def __init__(self, program, allocators, logs, tell=lambda text: None, between=lambda: None,
                 more=lambda steps: None):  # fmt: skip
        self.program = program
        self.allocators = allocators
        self.logs = logs
        self.tell = tell
        self.between = between
        self.more = more
        self.comparison = Comparison(program, {a.name: Result(a.name) for a in allocators})
        self._source = sources.source(program, logs)
        self._expected = None  # the baseline's _Run
        self._output_is_stable = program.server is None  # loads tell times

    def measure(self, count, left_runs=1):
        try:
            self._warm_up()
            for index in range(self.program.warm_ups):
                for allocator in self._ready():
                    self._try(allocator, f"warm-up {index + 1} of {self.program.warm_ups}")
            self._measure_left(1 if self.program.server else left_runs)
            interleaved(count, self._ready, self._measured, self._keep, self.tell, self.between)
        except Stopped as error:
            self.comparison.failure = str(error)

    def _ready(self):
        """The (name, allocator) that have not failed; none when the program has."""
        if self.comparison.failure:
            return []
        return [(a.name, a) for a in self.allocators if not self.comparison.results[a.name].failure]

    def _measured(self, allocator):
        done = self._run(allocator, with_left=self.program.server is not None)
        self._judge(allocator, done)
        return done.sample

    def _keep(self, found):
        for name, sample in found:
            if not self.comparison.results[name].failure:
                self.comparison.results[name].samples.append(sample)

    def _try(self, item, what, with_left=False):
        """A run that is judged, not measured."""
        name, allocator = item
        self.tell(f"{what}, {name}")
        self._judge(allocator, self._run(allocator, with_left))

    def _warm_up(self):
        baseline = next(a for a in self.allocators if a.name == BASELINE)
        self.tell(f"warm-up, {BASELINE}")
        self._expected = self._run(baseline)
        reason = self._unusable(self._expected)
        if reason is not None:
            raise Stopped(f"fails under {BASELINE}: {reason}")
        self.tell(f"warm-up, {BASELINE} again")
        again = self._verified(baseline)
        if self._expected.sample.status != 0:
            self.comparison.notes.append(f"its exit status is {self._expected.sample.status}")
        self._judge(baseline, again)
        for name, allocator in self._ready():
            if allocator is not baseline:
                self.tell(f"warm-up, {name}")
                self._judge(allocator, self._verified(allocator))

    def _verified(self, allocator):
        with self._source.watch(allocator) as watch:
            done = self._run(allocator, with_left=self.program.server is None)
        result = self.comparison.results[allocator.name]
        result.memory = thinned(watch.memory)
        if watch.strangers and not watch.users:
            reasons = (f"{program} ({why})" for program, why in sorted(watch.strangers.items()))
            result.failure = "not the allocator in use in " + ", ".join(reasons)
        else:
            for program, why in sorted(watch.strangers.items()):
                result.notes.append(f"{program} ran without {allocator.name} ({why})")
        if self.program.server and done.sample and not watch.has_seen():
            result.notes.append("nothing was seen of the server's processes: its allocator is not verified")
        return done

    def _measure_left(self, left_runs):
        """The first such run was the warm-up."""
        self.more((left_runs - 1) * sum(bool(self.comparison.results[name].left) for name, _ in self._ready()))
        for index in range(1, left_runs):
            for name, allocator in self._ready():
                if self.comparison.results[name].left:
                    self._try((name, allocator), f"after the load {index + 1} of {left_runs}", with_left=True)

    def _run(self, allocator, with_left=False):
        """`with_left`: what is left after the work, too."""
        self._prepare()
        stem = self.logs / f"{self.program.name}.{allocator.name}"
        with open(f"{stem}.stdout", "w+b") as stdout, open(f"{stem}.stderr", "w+b") as stderr:
            done = _Run()
            try:
                done.sample, done.left = self._source.run(allocator, sources.Files(stdout, stderr), with_left)
                done.sample.metrics = {m.name: m.find(stdout, stderr) for m in self.program.metrics}
            except (server.Failed, Missing) as error:
                done.failure = str(error)
            stdout.seek(0)
            done.output = hashlib.file_digest(stdout, "sha256").hexdigest()
            done.complaint = measure.last_line(stderr)
        if self.program.server and done.sample and done.sample.left_behind:
            self._note("a server that did not end at SIGTERM was killed")
        return done

    def _note(self, text):
        if text not in self.comparison.notes:
            self.comparison.notes.append(text)

    def _prepare(self):
        if self.program.prepare is None:
            return
        measure.become_subreaper()
        with open(self.logs / f"{self.program.name}.prepare", "w+b") as said:
            try:
                # No pipe: what it leaves running would keep that open.
                status = subprocess.call(
                    ["sh", "-c", self.program.prepare], stdin=subprocess.DEVNULL, stdout=said, stderr=said
                )  # fmt: skip
            finally:
                measure.kill_all()  # a run's processes are all that descend from this one
            if status != 0:
                how = measure.with_last_line(measure.describe_status(status), said)
                raise Stopped(f"the command of --prepare failed: {how}")

    def _judge(self, allocator, done):
        result = self.comparison.results[allocator.name]
        if done.left is not None:
            result.left.append(done.left)
        if result.failure is None:
            result.failure = self._difference(allocator, done)
        if result.failure is not None and allocator.name == BASELINE:
            raise Stopped(f"fails under {BASELINE}: {result.failure}")

    def _difference(self, allocator, done):
        """How the run differs from the baseline's first, or None."""
        sample, expected = done.sample, self._expected.sample
        if sample is not None:
            if sample.timed_out:
                return measure.without_end()
            if sample.left_behind and not expected.left_behind and not self.program.server:
                return "left processes running"
            if sample.status != expected.status:
                return _with(measure.describe_status(sample.status), done.complaint)
        if done.failure is not None:
            return done.failure
        if self._output_is_stable and done.output != self._expected.output:
            if allocator.name != BASELINE:
                return _with(f"output differs from {BASELINE}'s", done.complaint)
            self._output_is_stable = False
            self._note("its output varies from run to run and is not compared")
        return None

    def _unusable(self, run):
        """Why there is nothing to measure: a status other than 0 is fine for a user's own command."""
        if run.sample is None:
            return run.failure
        status = run.sample.status
        if run.sample.timed_out:
            return measure.without_end()
        if status == 0 or (self.program.folder is None and 0 < status < 126):
            return run.failure
        return _with(measure.describe_status(status), run.complaint)


def _with(reason, complaint):
    return f"{reason}: {complaint}" if complaint else reason
