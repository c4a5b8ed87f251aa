# SPDX-License-Identifier: MIT
"""`spillway ab`: set-up, the loop over the programs, what is printed and written."""

import contextlib
import subprocess
import sys

from spillway_cli import allocators, paths
from spillway_cli.ab import (
    changes, machine, markdown, measure, options, page, programs, report, rounds, table,
)  # fmt: skip
from spillway_cli.errors import UserError

from harness.progress import Progress
from report import files, matrix, noise, words
from report.page import write as write_page
from report.statistics import FEWEST_ROUNDS, require_numpy

LEFT_RUNS, QUICK_LEFT_RUNS = 3, 1  # of servers, for what they hold some seconds after their load
NOTABLE_LOAD = 0.1  # cores kept busy by others


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "ab",
        help="compare allocators on real programs, or on a command",
        usage="spillway ab [options] [-- COMMAND...]\n"
        "       spillway ab --server CMD --ready PATTERN|PORT [options] -- LOAD...\n"
        "       spillway ab --compare OLD NEW",
        description="Runs COMMAND, or a set of real programs, under several allocators, interleaved "
        "round by round, and prints times, memory and page faults beside glibc's. The allocator is "
        "preloaded into the command and all that it starts.",
    )
    options.add(parser)
    parser.set_defaults(handler=handle, takes_command=True)


def handle(arguments):
    if arguments.compare is not None:
        options.check_comparison(arguments)
        print(changes.show(*arguments.compare, arguments.markdown))
        return 0
    if not arguments.markdown:
        return _compare(arguments)[0]
    with contextlib.redirect_stdout(sys.stderr):
        status, text = _compare(arguments)
    print(text, end="")
    return status


def _compare(arguments):
    """(exit status, report.md's text)"""
    out = arguments.out.resolve()
    require_numpy()
    percent, count = options.percent(arguments), options.rounds(arguments)
    chosen = options.chosen(arguments, out)
    found, left_out = _set_up(arguments)
    try:
        (out / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"ab: cannot write to {out}: {error.strerror}; --out DIR chooses another folder") from None
    print(f"machine: {machine.one_line(machine.describe())}")
    for allocator in found:
        print(f"{allocator.name}: {allocator.version}, {allocator.library}")
    for reason in left_out:
        print(f"left out: {reason}")
    if count < FEWEST_ROUNDS:
        print(f"fewer than {FEWEST_ROUNDS} rounds: no intervals, the ratios may be noise")
    print(flush=True)

    # Runs of one program, the baseline's second included.
    each = len(found) * (count + 1 + chosen[0].warm_ups) + 1
    bar = Progress(len(chosen) * each)
    comparisons, interrupted, load, steady = [], False, machine.OtherLoad(), noise.Noise()
    shown = {}  # program -> the share below which its table shows no difference in time
    try:
        for program in chosen:
            measured = rounds.Rounds(
                program, found, out / "logs", _teller(bar, program.name), steady.sample
            )  # fmt: skip
            comparisons.append(measured.comparison)
            bar.skip_to((len(comparisons) - 1) * each)
            _measure(measured, program, count, QUICK_LEFT_RUNS if arguments.quick else LEFT_RUNS)
            bar.clear()
            shown[program.name] = noise.least_difference(steady.spread())
            print(table.format_comparison(measured.comparison, shown[program.name]), end="\n\n", flush=True)
    except KeyboardInterrupt:
        interrupted = True
        bar.clear()
        last = comparisons[-1]
        print(f"interrupted in {last.program.name} after {last.rounds()} of {count} rounds")
        shown[last.program.name] = noise.least_difference(steady.spread())
        print(table.format_comparison(last, shown[last.program.name]), end="\n\n")
    settings = {
        "rounds": count, "percent": percent, "interrupted": interrupted,
        "other_load_cores": load.cores(), "noise": steady.spread(), "noise_work_seconds": steady.seconds(),
    }  # fmt: skip
    settings["warnings"] = _noise_warnings(settings)
    about, made = machine.describe(), report.now()
    content = page.content(comparisons, found, left_out, about, settings, made)
    _conclude(comparisons, settings, shown, content)
    report.write(out / "report.json", report.content(comparisons, found, left_out, about, settings, made))
    write_page(out / "report.html", content)
    text = markdown.page(comparisons, content, noise.least_difference(settings["noise"]))
    files.write(out / "report.md", text)
    print(f"raw values: {out / 'report.json'}")
    print(f"Markdown: {out / 'report.md'}")
    print(f"report: {out / 'report.html'}")
    return 130 if interrupted else exit_status(comparisons), text


def _noise_warnings(settings):
    lines, others = [], settings["other_load_cores"]
    if others > NOTABLE_LOAD:
        lines.append(f"noisy: other work kept {others:.1f} cores busy; trust CPU times before wall times")
    if noise.is_noisy(settings["noise"]):
        lines.append(words.noise_sentence(noise.least_difference(settings["noise"])))
    return lines


def _conclude(comparisons, settings, shown, content):
    least = noise.least_difference(settings["noise"])
    summary = table.format_summary(comparisons, least)
    lines = matrix.text(content)
    for text in (summary, "\n".join(lines)):
        if text:
            print(text, end="\n\n")
    print(table.wrapped(table.explanation(comparisons[0].program)))
    for line in settings["warnings"]:
        print(table.wrapped(line))
    for line in _taken_back(comparisons, least, shown):
        print(table.wrapped(line))


def _taken_back(comparisons, least, shown):
    """The machine may have become noisier after a program's table was printed."""
    for comparison in comparisons:
        name = comparison.program.name
        lost = table.claims(comparison, shown.get(name, least)) - table.claims(comparison, least)
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
