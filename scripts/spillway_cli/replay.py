# SPDX-License-Identifier: MIT
"""`spillway replay`: replays traces under several allocators, interleaved, and compares them."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

from report.statistics import FEWEST_ROUNDS, paired_ratio
from spillway_cli import allocators, paths, process, tools
from spillway_cli.ab import table
from spillway_cli.allocators import BASELINE
from spillway_cli.arguments import whole_number
from spillway_cli.errors import UserError, usage_error

TRACES = paths.ROOT / "bench" / "traces"
ROUNDS, REPETITIONS = 7, 3
TARGETS = ("bench_trace", "bench_replay")
FIELDS = ("ns", "ns_again", "peak_mib", "peak_ratio", "faults")
HEADING = (
    f"  {'':<12}{'ns':>6} {'against glibc':<17}{'again':>6} {'against glibc':<17}"
    f"{'MiB':>6}{'x':>5}{'faults':>7}"
)
EXPLANATION = (
    "ns: elapsed per event of the trace, in a fresh process, where a word of every page of a block "
    "is written unless --touch says otherwise; again: the same once more in that process, all freed "
    "before; medians over the rounds; against glibc: ratio and its 95 % interval (bootstrap, paired "
    "by round), below 1 is better, ~ is no difference beyond noise; MiB: peak resident memory above "
    "that at the start; x: that peak per byte that was live at most; faults: page faults."
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
        "--rounds", type=whole_number(1), default=ROUNDS, metavar="N", help=f"({ROUNDS})"
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
    built = tools.folder(arguments.build_dir, TARGETS, arguments.allocators)
    traces = arguments.traces or sorted(str(path) for path in TRACES.glob("*.trace"))
    shown = _look_at(built, traces)
    found, left_out = allocators.usable(arguments.allocators, arguments.build_dir)
    for allocator in found:
        print(f"{allocator.name}: {allocator.version}, {allocator.library}")
    for reason in left_out:
        print(f"left out: {reason}")
    if arguments.rounds < FEWEST_ROUNDS:
        print(f"fewer than {FEWEST_ROUNDS} rounds: no intervals, the ratios may be noise")
    print(flush=True)

    campaign = Campaign(built, arguments, [one["file"] for one in shown], found)
    try:
        campaign.run()
    except KeyboardInterrupt:
        campaign.interrupted = True
    finally:
        _tell("")
    if campaign.interrupted:
        print(f"interrupted after {campaign.rounds} of {arguments.rounds} rounds")
    for trace, facts in zip(campaign.rows(), shown, strict=True):
        print("\n".join(campaign.table_of(trace, facts)), end="\n\n")
    print(table.wrapped(EXPLANATION, ""))
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
        line = done.stderr.strip().removeprefix("bench_trace: ")
        raise UserError(f"replay: {line}", status=done.returncode)
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
        self._figures = {}  # (row, allocator) -> field -> a figure per round
        self._context = {}

    def rows(self):
        return [f"trace/{pathlib.Path(trace).stem}" for trace in self._traces]

    def run(self):
        for number in range(self._arguments.rounds):
            alive = [one for one in self._allocators if one.name not in self.failures]
            turn = number % max(1, len(alive))
            measured = {}
            for allocator in alive[turn:] + alive[:turn]:
                _tell(f"round {number + 1} of {self._arguments.rounds}, {allocator.name}")
                measured[allocator.name] = self._measure(allocator)
            for name, results in measured.items():
                for result in results:
                    self._add(name, result)
            self.rounds += 1

    def _measure(self, allocator):
        """The program's results: none when it failed, which is noted."""
        command = [
            self._program, "--json", "-", "--repetitions", str(self._arguments.repetitions),
            "--touch", self._arguments.touch, *self._traces,
        ]  # fmt: skip
        variables = dict(os.environ, LD_PRELOAD=str(allocator.library), **allocator.variables)
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        lines = done.stderr.strip().splitlines()
        if done.returncode != 0:
            self.failures[allocator.name] = lines[-1] if lines else f"status {done.returncode}"
            return []
        data = json.loads(done.stdout)
        served = data["context"]["malloc_from"]
        if not process.same_file(served, allocator.library):
            self.failures[allocator.name] = f"malloc is that of {served}"
            return []
        self._context = data["context"]
        return data["results"]

    def _add(self, name, result):
        columns = self._figures.setdefault((result["name"], name), {})
        for field in FIELDS:
            value = result[field]
            value = value["median"] if isinstance(value, dict) else value
            columns.setdefault(field, []).append(value)

    def table_of(self, row, facts):
        """Heading and a line for each allocator."""
        threads = f"{facts['threads']} thread" + ("s" if facts["threads"] > 1 else "")
        title = (
            f"{row}: {facts['program']}, {facts['events']} events, {threads}, "
            f"{facts['peak_live'] / 2**20:.1f} MiB live at most"
        )
        lines = [table.wrapped(title, ""), HEADING]
        for allocator in self._allocators:
            failure = self.failures.get(allocator.name)
            if failure is not None:
                lines.append(table.wrapped(f"FAILED: {failure}", f"  {allocator.name:<12}"))
            elif (row, allocator.name) not in self._figures:
                lines.append(f"  {allocator.name:<12}not measured")
            else:
                lines.append(self._line(row, allocator.name))
        return lines

    def _line(self, row, name):
        own = self._figures[row, name]
        base = self._figures.get((row, BASELINE))
        ratios = {"ns": "", "ns_again": ""}
        if name != BASELINE and BASELINE not in self.failures:
            ratios = {field: table.ratio(paired_ratio(own[field], base[field])) for field in ratios}
        middle = {field: statistics.median(own[field]) for field in FIELDS}
        return (
            f"  {name:<12}{table.number(middle['ns']):>6} {ratios['ns']:<17}"
            f"{table.number(middle['ns_again']):>6} {ratios['ns_again']:<17}"
            f"{table.number(middle['peak_mib']):>6}{table.number(middle['peak_ratio']):>5}"
            f"{table.count(middle['faults']):>7}"
        )

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
            },
            "allocators": [
                {"name": one.name, "version": one.version, "library": str(one.library),
                 "failure": self.failures.get(one.name)}
                for one in self._allocators
            ],
            "results": [
                {"name": row, "allocator": name, **columns}
                for (row, name), columns in self._figures.items()
            ],
        }  # fmt: skip


def _tell(text):
    """Progress, on a line that the next one overwrites; nothing when nobody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
