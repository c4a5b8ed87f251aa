# SPDX-License-Identifier: MIT
"""What is told of a program: the figures of its samples, with their names, units and directions."""

import dataclasses

from report import columns
from report.numbers import count, number, seconds, short

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Measure:
    key: str  # a field of measure.Sample, "left", or the name of a metric
    title: str
    about: str
    unit: str = ""
    kind: str = "metric"  # one of report.model.KINDS
    heading: str = ""  # in the terminal's table
    divisor: int = 1
    higher: bool = False  # whether more is better

    def values(self, result):
        """One for each round of a rounds.Result, in its unit."""
        if self.key == LEFT.key:
            return [left / self.divisor for left in result.left]
        if self.kind == "metric":
            return [sample.metrics[self.key] for sample in result.samples]
        return [getattr(sample, self.key) / self.divisor for sample in result.samples]

    def is_same(self, other):
        """Whether their figures may be compared."""
        return (self.key, self.unit, self.kind, self.higher) == (other.key, other.unit, other.kind, other.higher)

    def lower_title(self):
        """In a sentence."""
        return self.title if self.kind == "metric" else self.title[:1].lower() + self.title[1:]


LEFT = Measure(
    "left", "Memory left", "What the processes of servers hold 5 s after their load; in runs of their own, "
    "not timed.", "MiB", "memory", divisor=MIB,
)  # fmt: skip
WALL = Measure("wall", "Wall time", "Until the command itself ended.", "s", "time", "wall s")
CPU = Measure("cpu", "Processor time", "User and system, of all processes together.", "s", "time", "CPU s")
PEAK = Measure(
    "peak_rss", "Peak memory", "Resident memory of the largest process.", "MiB", "memory", "MiB", MIB
)  # fmt: skip
FAULTS = Measure(
    "minor_faults", "Page faults", "Minor ones, of all processes together.", "", "count", "faults"
)  # fmt: skip
COMMAND = (WALL, CPU, PEAK, FAULTS, LEFT)
SERVER = (
    dataclasses.replace(WALL, title="Load's time", heading="load s", about="How long the load took, which "
                        "is not run under the allocator."),
    dataclasses.replace(CPU, title="Server's processor time", about="User and system, of all its processes "
                        "together, during the load."),
    dataclasses.replace(PEAK, title="Server's peak memory", about="Resident memory of its largest process "
                        "during the load."),
    dataclasses.replace(FAULTS, title="Server's page faults", about="Minor ones, of all its processes, "
                        "during the load."),
    dataclasses.replace(LEFT, title="Server's memory left", about="What its processes hold together 5 s "
                        "after the load."),
)  # fmt: skip
TEXT = {"wall": seconds, "cpu": seconds, "peak_rss": short, "minor_faults": count}
WIDTH = {"wall": 7, "cpu": 7, "peak_rss": 7, "minor_faults": 8}
METRIC_WIDTH = 13


def standard(program):
    """Those of every program, without what is left."""
    return _with_left(program)[:-1]


def _with_left(program):
    return SERVER if program.server else COMMAND


def of_metrics(program):
    """Those of its metrics."""
    return [
        Measure(m.name, m.name, f"The number that {m.pattern} finds in the output; "
                f"{'more' if m.higher else 'less'} is better.", higher=m.higher)
        for m in program.metrics
    ]  # fmt: skip


def all_of(program):
    return [*standard(program), *of_metrics(program), _with_left(program)[-1]]


def column(measure):
    """Of a terminal's table; only times and metrics have room for a ratio."""
    if measure.kind == "metric":
        return columns.Column(measure.title, METRIC_WIDTH, number, "metric", measure.higher)
    kind = measure.kind if measure.kind == "time" else None
    return columns.Column(measure.heading, WIDTH[measure.key], TEXT[measure.key], kind, measure.higher)
