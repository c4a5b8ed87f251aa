# SPDX-License-Identifier: MIT
"""`spillway replay`: replays traces under several allocators, interleaved, and compares them."""

import json
import pathlib
import subprocess

from spillway_cli import allocators, paths, tools
from spillway_cli.allocators import BASELINE
from spillway_cli.arguments import whole_number
from spillway_cli.errors import UserError, usage_error

from harness import commands, interrupts
from harness.progress import Progress
from harness.rounds import interleaved
from report import columns, noise, words
from report.numbers import count, short
from report.statistics import MIN_ROUNDS, require_numpy

TRACES = paths.ROOT / "bench" / "traces"
ROUNDS, REPETITIONS = 7, 3
TARGETS = ("bench_trace", "bench_replay")
COLUMNS = {  # by field of the program's results
    "ns": columns.Column("ns", 6, short, "time"),
    "ns_again": columns.Column("again", 6, short, "time"),
    "peak_mib": columns.Column("MiB", 6, short),
    "peak_ratio": columns.Column("x", 5, short),
    "faults": columns.Column("faults", 7, count),
}
HEADING = columns.heading(COLUMNS.values(), BASELINE)
LEGEND = (
    ("ns", "elapsed per event of the trace, in a fresh process; a word of each page is written (--touch)"),
    ("again", "the same once more in that process, all freed before"),
    columns.against(BASELINE),
    ("MiB", "peak resident memory above that at the start"),
    ("x", "that peak per byte that was live at most"),
    ("faults", "page faults"),
)


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "replay",
        help="compare allocators on recorded traces",
        description="Replays each TRACE under several allocators, interleaved round by round, and "
        "prints times, memory and page faults beside glibc's.",
    )
    allocators.add_option(parser)
    parser.add_argument(
        "--rounds", type=whole_number(1), default=ROUNDS, metavar="N",
        help=f"measured rounds ({ROUNDS})",
    )  # fmt: skip
    parser.add_argument(
        "--repetitions", type=whole_number(1), default=REPETITIONS, metavar="N",
        help=f"fresh processes per trace, allocator and round ({REPETITIONS})",
    )  # fmt: skip
    parser.add_argument(
        "--touch", choices=("none", "word", "pages"), default="pages",
        help="what is written of each block: nothing, its first word, a word of each page (pages)",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="the figures of every round")
    tools.add_option(parser)
    parser.add_argument(
        "traces", metavar="TRACE", nargs="*", help="(default: those of bench/traces)"
    )
    parser.set_defaults(handler=handle, takes_command=True)  # to say what it takes instead


def handle(arguments):
    if arguments.command:
        raise usage_error("replay: takes traces, not a command; see `spillway record`")
    if arguments.json:
        path = pathlib.Path(arguments.json)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise usage_error(f"replay: cannot write {path}")
    interrupts.like_ctrl_c()
    require_numpy()
    built = tools.folder(arguments.build_dir, TARGETS, arguments.allocators)
    traces = arguments.traces or sorted(str(path) for path in TRACES.glob("*.trace"))
    shown = _look_at(built, traces)
    found, left_out = allocators.usable(arguments.allocators, arguments.build_dir)
    for allocator in found:
        print(f"{allocator.name}: {allocator.version}, {allocator.library}")
    for reason in left_out:
        print(f"left out: {reason}")
    if arguments.rounds < MIN_ROUNDS:
        print(f"fewer than {MIN_ROUNDS} rounds: no intervals, the ratios may be noise")
    print(flush=True)

    campaign = Campaign(built, arguments, [one["file"] for one in shown], found)
    campaign.run()
    if campaign.interrupted:
        print(f"interrupted after {campaign.rounds} of {arguments.rounds} rounds")
    for trace, facts in zip(campaign.rows(), shown, strict=True):
        print("\n".join(campaign.table_of(trace, facts)), end="\n\n")
    print("\n".join(columns.legend(LEGEND)))
    if campaign.min_difference():
        print(columns.wrapped(words.noise_sentence(campaign.min_difference())))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(campaign.content(), file, indent=1)
            file.write("\n")
    return 130 if campaign.interrupted else int(bool(campaign.failures))


def _look_at(built, traces):
    """What each trace holds; a UserError for what is none, before anything is measured."""
    if not traces:
        raise usage_error("replay: no trace")
    names = [pathlib.Path(trace).stem for trace in traces]
    for name in names:
        if names.count(name) > 1:
            raise usage_error(f"replay: two traces are named {name}")
    done = subprocess.run(
        [built / "bench" / "bench_trace", "show", "--json", *traces],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        line = done.stderr.strip().removeprefix("bench_trace: ") or "bench_trace failed"
        raise UserError(f"replay: {line}", status=max(1, done.returncode))
    return [json.loads(line) for line in done.stdout.splitlines()]


class Campaign:
    """All rounds of one comparison: `run()`, then the tables, also when it was interrupted: only
    whole rounds count, so that values can be paired by round."""

    def __init__(self, built, arguments, traces, found):
        self._program = built / "bench" / "bench_replay"
        self._arguments = arguments
        self._traces = traces
        self._allocators = found
        self.failures = {}  # allocator -> why
        self.rounds = 0  # that are whole
        self.interrupted = False
        self.noise = noise.Noise()
        self._figures = {}  # (row, allocator) -> field -> a figure per round
        self._context = {}

    def rows(self):
        return [f"trace/{pathlib.Path(trace).stem}" for trace in self._traces]

    def min_difference(self):
        """The share below which differences in time can't be told."""
        return noise.min_difference(self.noise.spread())

    def run(self):
        progress = Progress(self._arguments.rounds * len(self._allocators))
        try:
            interleaved(self._arguments.rounds, self._ready, self._measure, self._keep, progress.step,
                        self.noise.sample)  # fmt: skip
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            progress.clear()

    def _ready(self):
        return [(one.name, one) for one in self._allocators if one.name not in self.failures]

    def _keep(self, found):
        for name, results in found:
            for result in results:
                self._add(name, result)
        self.rounds += 1

    def _measure(self, allocator):
        """The program's results: none when it failed, which is noted."""
        command = [
            self._program, "--json", "-", "--repetitions", str(self._arguments.repetitions),
            "--touch", self._arguments.touch, *self._traces,
        ]  # fmt: skip
        status, output, complaint = commands.run(command, allocator.environment())
        lines = complaint.strip().splitlines()
        if status != 0:
            self.failures[allocator.name] = lines[-1] if lines else f"status {status}"
            return []
        data = json.loads(output)
        served = data["context"]["malloc_from"]
        if not allocator.serves(served):
            self.failures[allocator.name] = f"malloc is that of {served}"
            return []
        self._context = data["context"]
        return data["results"]

    def _add(self, name, result):
        figures = self._figures.setdefault((result["name"], name), {field: [] for field in COLUMNS})
        for field in COLUMNS:
            value = result[field]
            figures[field].append(value["median"] if isinstance(value, dict) else value)

    def table_of(self, row, facts):
        """Heading and a line for each allocator."""
        threads = f"{facts['threads']} thread" + ("s" if facts["threads"] > 1 else "")
        title = (
            f"{row}: {facts['program']}, {facts['events']} events, {threads}, "
            f"{facts['peak_live'] / 2**20:.1f} MiB live at most"
        )
        lines = [columns.wrapped(title), HEADING]
        for allocator in self._allocators:
            failure = self.failures.get(allocator.name)
            if failure is not None:
                lines.append(columns.failed(allocator.name, failure))
            elif (row, allocator.name) not in self._figures:
                lines.append(columns.not_measured(allocator.name))
            else:
                lines.append(self._line(row, allocator.name))
        return lines

    def _line(self, row, name):
        base = None
        if name != BASELINE and BASELINE not in self.failures:
            base = list(self._figures[row, BASELINE].values())
        values = list(self._figures[row, name].values())
        return columns.line(name, COLUMNS.values(), values, base, self.min_difference())

    def content(self):
        """For --json."""
        return {
            "context": {
                name: value for name, value in self._context.items()
                if name not in ("allocator", "malloc_from")
            },
            "settings": {
                "rounds": self._arguments.rounds, "repetitions": self._arguments.repetitions,
                "touch": self._arguments.touch, "interrupted": self.interrupted,
                "noise": self.noise.spread(),
            },
            "allocators": [
                {"name": one.name, "version": one.version, "library": str(one.library),
                 "failure": self.failures.get(one.name)}
                for one in self._allocators
            ],
            "results": [
                {"name": row, "allocator": name, **figures}
                for (row, name), figures in self._figures.items()
            ],
        }  # fmt: skip
