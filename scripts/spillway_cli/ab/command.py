# SPDX-License-Identifier: MIT
"""`spillway ab`: set-up, the loop over the programs, what is printed and written."""

import contextlib
import dataclasses
import fcntl
import os
import subprocess
import sys

from spillway_cli import allocators, paths, process
from spillway_cli.ab import (
    changes, chosen, machine, markdown, measure, options, page, programs, report, rounds, table,
)  # fmt: skip
from spillway_cli.arguments import command_parser
from spillway_cli.errors import UserError, described, usage_error

from harness import interrupts
from harness.progress import Progress
from report import files, matrix, noise, words
from report.page import write as write_page
from report.statistics import MIN_ROUNDS, require_numpy

LEFT_RUNS, QUICK_LEFT_RUNS = 3, 1  # of programs that tell what they hold some seconds after their load
NOTABLE_LOAD = 0.1  # cores kept busy by others


def add_parser(subparsers):
    parser = command_parser(
        subparsers, "ab", handle,
        "[options] [-- COMMAND...]\n"
        "       spillway ab --server CMD --ready PATTERN|PORT [options] -- LOAD...\n"
        "       spillway ab --compare OLD NEW",
        help="compare allocators on real programs, or on a command",
        description="Runs COMMAND, or a set of real programs, under several allocators, interleaved "
        "round by round, and prints times, memory and page faults beside glibc's. The allocator is "
        "preloaded into the command and all that it starts.",
    )  # fmt: skip
    options.add(parser)


def handle(arguments):
    if arguments.compare is not None:
        options.check_comparison(arguments)
        print(changes.show(*arguments.compare, arguments.markdown))
        return 0
    interrupts.like_ctrl_c()
    out = (arguments.out or paths.reports()).resolve()
    with contextlib.redirect_stdout(sys.stderr if arguments.markdown else sys.stdout):
        status, text = _compare(arguments, out)
    if arguments.markdown:
        print(text, end="")
    return status


def _compare(arguments, out):
    """(exit status, report.md's text)"""
    require_numpy()
    wanted = chosen.find(arguments, out)
    found, left_out = _set_up(arguments)
    with _folder(out):
        return _measured(arguments, out, wanted, found, left_out)


@contextlib.contextmanager
def _folder(out):
    """Makes the folder, which is no other ab's until the end of the block."""
    try:
        (out / "logs").mkdir(parents=True, exist_ok=True)
        folder = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise UserError(f"ab: cannot write to {out}: {error.strerror}; --out DIR chooses another folder") from None
    try:
        _lock(folder, out)
        yield
    finally:
        os.close(folder)


def _lock(folder, out):
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"ab: another ab writes to {out}; --out DIR chooses another folder") from None


@dataclasses.dataclass
class _Taken:
    """What was measured."""

    comparisons: list = dataclasses.field(default_factory=list)
    shown: dict = dataclasses.field(default_factory=dict)  # program -> the noise that its table was printed with
    interrupted: str | None = None  # why; empty by Ctrl-C

    def show(self, steady):
        """The last table."""
        last = self.comparisons[-1]
        self.shown[last.program.name] = noise.min_difference(steady.spread())
        print(table.format_comparison(last, self.shown[last.program.name]), end="\n\n", flush=True)


def _measured(arguments, out, wanted, found, left_out):
    percent, count = options.percent(arguments), options.rounds(arguments)
    _print_heading(found, left_out, count)
    load, steady = machine.OtherLoad(), noise.Noise()
    taken = _take(wanted, found, out / "logs", count, QUICK_LEFT_RUNS if arguments.quick else LEFT_RUNS, steady)
    comparisons, interrupted = taken.comparisons, taken.interrupted
    settings = {
        "rounds": count, "percent": percent, "interrupted": interrupted is not None,
        "other_load_cores": load.cores(), "noise": steady.spread(), "noise_work_seconds": steady.seconds(),
    }  # fmt: skip
    settings["warnings"] = [f"ended early: {interrupted}"] if interrupted else []
    settings["warnings"] += _noise_warnings(settings)
    about, made = machine.describe(), report.now()
    # The figures first: what is shown of them takes a while, and can still fail.
    report.write(out / "report.json", report.content(comparisons, found, left_out, about, settings, made))
    content = page.content(comparisons, found, left_out, about, settings, made)
    _conclude(comparisons, settings, taken.shown, content)
    write_page(out / "report.html", content)
    text = markdown.page(comparisons, content, noise.min_difference(settings["noise"]))
    files.write(out / "report.md", text)
    print(f"raw values: {out / 'report.json'}")
    print(f"Markdown: {out / 'report.md'}")
    print(f"report: {out / 'report.html'}")
    status = exit_status(comparisons) if interrupted is None else 1 if interrupted else 130
    return status, text


def _print_heading(found, left_out, count):
    print(f"machine: {machine.one_line(machine.describe())}")
    for allocator in found:
        print(f"{allocator.name}: {allocator.version}, {allocator.library}")
    for reason in left_out:
        print(f"left out: {reason}")
    if count < MIN_ROUNDS:
        print(f"fewer than {MIN_ROUNDS} rounds: no intervals, the ratios may be noise")
    print(flush=True)


def _take(wanted, found, logs, count, left_runs, steady):
    """Measures, prints each program's table; the _Taken. An error, of a file that is gone or a full disk, ends
    it as Ctrl-C does: the rounds so far count."""
    # Runs of one program, the baseline's second included.
    each = len(found) * (count + 1 + wanted[0].warm_ups) + 1
    bar, taken, over = Progress(len(wanted) * each), _Taken(), 0

    def more(steps):
        nonlocal over
        over += steps
        bar.add(steps)

    try:
        for program in wanted:
            measured = rounds.Rounds(
                program, found, logs, _teller(bar, program.name), steady.sample, more
            )  # fmt: skip
            taken.comparisons.append(measured.comparison)
            bar.skip_to(over)
            over += each
            _measure(measured, program, count, left_runs)
            bar.clear()
            taken.show(steady)
    except KeyboardInterrupt:
        taken.interrupted = ""
    except (OSError, UserError) as error:
        taken.interrupted = described(error)
    bar.clear()
    if taken.interrupted is not None:
        print(_interrupted(taken.comparisons, count, taken.interrupted))
        if taken.comparisons:
            taken.show(steady)
    return taken


def _interrupted(comparisons, count, reason):
    """Of what was measured last; `reason`: why, empty for Ctrl-C."""
    where = ""
    if comparisons:
        where = f" in {comparisons[-1].program.name} after {comparisons[-1].rounds()} of {count} rounds"
    return f"interrupted{where}" + (f": {reason}" if reason else "")


def _noise_warnings(settings):
    lines, others = [], settings["other_load_cores"]
    if others > NOTABLE_LOAD:
        lines.append(f"noisy: other work kept {others:.1f} cores busy; trust CPU times before wall times")
    if noise.is_noisy(settings["noise"]):
        lines.append(words.noise_sentence(noise.min_difference(settings["noise"])))
    return lines


def _conclude(comparisons, settings, shown, content):
    min_difference = noise.min_difference(settings["noise"])
    summary = table.format_summary(comparisons, min_difference)
    lines = matrix.text(content)
    for text in (summary, "\n".join(lines)):
        if text:
            print(text, end="\n\n")
    for comparison in comparisons[:1]:
        print("\n".join(table.explanation(comparison.program)))
    for line in settings["warnings"]:
        print(table.wrapped(line))
    for line in _taken_back(comparisons, min_difference, shown):
        print(table.wrapped(line))


def _taken_back(comparisons, min_difference, shown):
    """The machine may have become noisier after a program's table was printed."""
    for comparison in comparisons:
        name = comparison.program.name
        lost = table.claims(comparison, shown.get(name, min_difference)) - table.claims(comparison, min_difference)
        if lost:
            yield f"{name}: no difference after all, by the noise of the whole run: {', '.join(sorted(lost))}"


def exit_status(comparisons):
    """1 when something failed, 0 otherwise."""
    failures = [c.failure for c in comparisons]
    failures += [result.failure for c in comparisons for result in c.results.values()]
    return int(any(failures))


def _measure(measured, program, count, left_runs):
    try:
        programs.prepare(program)
    except UserError as error:
        measured.comparison.failure = str(error)
        return
    measured.measure(count, left_runs)


def _set_up(arguments):
    """Installs and builds what this comparison needs; (allocators, left out)."""
    others = [pid for pid in process.children(os.getpid()) if process.is_alive(pid)]
    if others:  # a run's processes are all that descend from this one
        named = ", ".join(f"{pid} ({process.name(pid) or '?'})" for pid in others)
        raise usage_error(f"ab: started by exec in a shell with processes in the background: {named}; leave out exec")
    if not paths.INSTALLED and (not arguments.command or arguments.allocators is None):
        done = subprocess.run([paths.ROOT / "scripts" / "setup", "ab"], stdout=sys.stderr, check=False)
        if done.returncode != 0:
            print("spillway: goes on without what is missing", file=sys.stderr)
    if allocators.needs_library(arguments.allocators):
        paths.build(paths.TARGETS[paths.LIBRARY])
    found, left_out = allocators.usable(arguments.allocators)
    measure.become_subreaper()
    return found, left_out


def _teller(bar, name):
    return lambda text: bar.step(f"{name}: {text}")
