# SPDX-License-Identifier: MIT
"""`spillway ab --compare OLD NEW`: what is different between two reports beyond noise.

Two runs have two moments of one machine, or two machines: so times, and metrics of the user's own, are
compared as ratios to the baseline's of the same report. The baseline's own are compared as measured.
"""

import statistics

from spillway_cli.ab import measures, saved
from spillway_cli.allocators import BASELINE

from report import changes, markdown, noise
from report.columns import wrapped
from report.numbers import number, percent
from report.statistics import change
from report.verdicts import OF_THE_CLOCK, SAME, UNTOLD

# Two runs of the same differ in what no round of either shows, such as the size of the environment.
MIN_DIFFERENCE = 0.01
RELATIVE = f"Times and metrics are ratios to {BASELINE}'s in the same report; {BASELINE}'s own are as measured."


def show(old, new, as_markdown):
    """Text for a terminal, or Markdown."""
    then, now = (saved.read(path, "ab") for path in (old, new))
    min_difference = sum(noise.min_difference(run.noise) for run in (then, now))  # each may be off by its own
    drift = _drift(then, now)
    of_baseline = min_difference + abs(drift)  # nothing of the same moment stands beside it
    found, notes = [], [*_differing(then, now), *_missing(then.comparisons, now.comparisons)]
    for name, comparison in now.comparisons.items():
        if name in then.comparisons:
            more, said = _of_program(then.comparisons[name], comparison, min_difference, of_baseline)
            found += more
            notes += said
    if min_difference:
        notes.append(f"The runs were noisy: differences in time below {100 * min_difference:.0f} % can't be told.")
    if noise.is_noisy(abs(drift)):
        more = "more" if drift > 0 else "less"
        notes.append(f"The same piece of work took {percent(abs(drift))} {more} now. Of {BASELINE}'s own times "
                     f"differences below {percent(of_baseline)} can't be told.")  # fmt: skip
    heads = [_about("then", then), _about("now", now)]
    return (_markdown if as_markdown else _text)(heads, found, [*notes, RELATIVE])


def _drift(then, now):
    """How much longer the machine took now for the work of noise.Noise, as a share; 0.0 where that is unknown."""
    works = [run.work_seconds for run in (then, now)]
    return works[1] / works[0] - 1 if all(works) else 0.0


def _of_program(before, after, min_difference, min_of_baseline):
    """([Change], what else there is to say)"""
    name, notes = after.program.name, []
    if before.program.description != after.program.description:
        notes.append(f"{name}: another command then: {before.program.description}")
    failures = [comparison.failure for comparison in (before, after)]
    if any(failures):
        return [], notes + [_failed(name, *failures)]
    found = []
    for allocator, result in after.results.items():
        then = before.results.get(allocator)
        if then is None:
            continue
        if then.failure or result.failure:
            notes.append(_failed(f"{name}: {allocator}", then.failure, result.failure))
            continue
        for measure in measures.all_of(after.program):
            if any(measure.is_same(other) for other in measures.all_of(before.program)):
                own = allocator == BASELINE
                found += _change(measure, (before, then), (after, result), min_of_baseline if own else min_difference)
    return found, notes


def _change(measure, before, after, min_difference):
    """A list of one Change; empty where one of them has no figures."""
    relative = measure.kind in OF_THE_CLOCK and after[1].allocator != BASELINE
    runs = []
    for comparison, result in (after, before):
        values = measure.values(result)
        if not values:
            return []
        runs.append((values, measure.values(comparison.baseline)) if relative else values)
    ratio = change(*runs)
    now, then = (_middle(run) for run in runs)
    unit = f" / {BASELINE}'s" if relative else f", {measure.unit}" if measure.unit else ""
    label = f"{after[0].program.name}, {after[1].allocator}: {measure.lower_title()}{unit}"
    verdict = changes.judged(ratio, measure.kind, min_difference, measure.higher)
    small = verdict != UNTOLD and abs(ratio.value - 1) < MIN_DIFFERENCE
    return [changes.Change(label, then, now, ratio, SAME if small else verdict)]


def _middle(run):
    if isinstance(run, tuple):
        return statistics.median(run[0]) / max(statistics.median(run[1]), 1e-9)
    return statistics.median(run)


def _failed(what, then, now):
    if now and then:
        return f"{what}: failed then and now"
    return f"{what}: failed {f'then, not now: {then}' if then else f'now, not then: {now}'}"


def _about(word, run):
    made = run.made.replace("T", " ").replace("+00:00", " UTC")
    return f"{word}: {made}, {run.rounds} rounds, {run.machine_line}"


def _differing(then, now):
    for name, version in now.versions.items():
        before = then.versions.get(name)
        if before is None:
            yield f"{name}: only in the second report"
        elif before != version:
            yield f"{name}: {before} then, {version} now"
    for name in sorted(then.versions.keys() - now.versions.keys()):
        yield f"{name}: only in the first report"
    if any(then.machine[key] != now.machine[key] for key in ("cpu", "cores", "memory_bytes")):
        yield f"The machines differ: {BASELINE}'s own times are no comparison."


def _missing(before, after):
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield f"{name}: only in the first report"
        elif name not in before:
            yield f"{name}: only in the second report"


def _text(heads, found, notes):
    beyond = _beyond(found)
    lines = [wrapped(head) for head in heads] + [""]
    lines += changes.lines("beyond noise", beyond, number, changes.BETTER) if beyond else [_nothing(found)]
    lines += ["", *changes.counted(found, changes.BETTER)] if found else []
    return "\n".join([*lines, *map(wrapped, notes)])


def _markdown(heads, found, notes):
    rows = [
        (markdown.escaped(one.name), number(one.then), number(one.now),
         markdown.escaped(changes.ratio(one.ratio, number)), changes.BETTER[one.verdict])
        for one in _beyond(found)
    ]  # fmt: skip
    parts = ["## What changed beyond noise", "\n".join(f"- {markdown.escaped(head)}" for head in heads)]
    heading = ("", "then", "now", "ratio, 95 % interval", "")
    parts.append(markdown.table(heading, rows, range(1, 4)) if rows else _nothing(found))
    parts.append(markdown.escaped(" ".join(changes.counted(found, changes.BETTER))) if found else "")
    parts.append("\n".join(f"- {markdown.escaped(note)}" for note in notes))
    return "\n\n".join(part for part in parts if part)


def _beyond(found):
    return [change for change in found if change.verdict not in (SAME, UNTOLD)]


def _nothing(found):
    return "No difference beyond noise." if found else "The reports have no figures in common."
