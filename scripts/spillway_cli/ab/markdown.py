# SPDX-License-Identifier: MIT
"""report.md: the tables in Markdown, for a job's summary or a comment on a pull request."""

import re
import statistics

from report import files
from report.noise import least_difference
from report.statistics import geometric_mean_ratio, paired_ratio
from report.verdicts import SAME, judge
from spillway_cli.ab import machine
from spillway_cli.allocators import BASELINE

MIB = 1 << 20
HEADING = (
    f"| | wall s | against {BASELINE} | CPU s | against {BASELINE} | peak MiB | page faults |\n"
    "|---|--:|---|--:|---|--:|--:|"
)
EXPLANATION = (
    "Medians of all rounds. CPU: all processes together; peak MiB: resident memory of the largest; "
    f"against {BASELINE}: ratio and its 95 % interval, below 1 is better; ~: no difference beyond noise."
)


def content(comparisons, about, settings):
    least = least_difference(settings["noise"])
    parts = [part for comparison in comparisons for part in _comparison(comparison, least)]
    parts += _means(comparisons, least)
    parts.append(EXPLANATION)
    parts += [plain(line) for line in settings["warnings"]]
    if settings["interrupted"]:
        parts.append("Interrupted: the rounds done so far.")
    parts.append(f"{settings['rounds']} rounds, interleaved. {plain(machine.one_line(about))}.")
    return "\n\n".join(parts) + "\n"


def write(path, comparisons, about, settings):
    files.write(path, content(comparisons, about, settings))


def _comparison(comparison, least):
    program = comparison.program
    yield f"### {plain(program.name)}"
    yield plain(program.description)
    if comparison.failure is not None:
        yield f"**FAILED**: {plain(comparison.failure)}"
        return
    rows = [_row(result, comparison.baseline, least) for result in comparison.results.values()]
    yield "\n".join([HEADING, *rows])
    left = {one.allocator: one.median_left() for one in comparison.results.values()}
    left = [f"{name} {value / MIB:.1f}" for name, value in left.items() if value is not None]
    notes = [f"MiB held 5 s after the load: {', '.join(left)}"] if left else []
    notes += comparison.notes
    notes += [note for result in comparison.results.values() for note in result.notes]
    if notes:
        yield "\n".join(f"- {plain(note)}" for note in notes)


def _means(comparisons, least):
    """Of the ratios of the programs that ran, for two programs or more."""
    measured = [c for c in comparisons if not c.failure and c.rounds()]
    if len(measured) < 2:
        return
    rows = ["| | wall | CPU | failed |\n|---|---|---|--:|"]
    for name in measured[0].results:
        passed = [c for c in measured if not c.results[name].failure]
        if name == BASELINE or not passed:
            continue
        cells = []
        for field in ("wall", "cpu"):
            pairs = [(_values(c.results[name], field), _values(c.baseline, field)) for c in passed]
            cells.append(_ratio(geometric_mean_ratio(pairs), least))
        rows.append(f"| {plain(name)} | {' | '.join(cells)} | {len(measured) - len(passed)} |")
    yield "### All programs: geometric means of the ratios"
    yield "\n".join(rows)


def _row(result, baseline, least):
    name = plain(result.allocator)
    if result.failure is not None:
        return f"| {name} | **FAILED**: {plain(result.failure)} | | | | | |"
    if not result.samples:
        return f"| {name} | not measured | | | | | |"
    cells = []
    for field in ("wall", "cpu"):
        values = _values(result, field)
        cells.append(f"{statistics.median(values):.3f}")
        base = None if result.allocator == BASELINE else _values(baseline, field)
        cells.append("" if base is None else _ratio(paired_ratio(values, base), least))
    cells.append(f"{statistics.median(_values(result, 'peak_rss')) / MIB:.1f}")
    cells.append(f"{statistics.median(_values(result, 'minor_faults')):.0f}")
    return f"| {name} | {' | '.join(cells)} |"


def _values(result, field):
    return [getattr(sample, field) for sample in result.samples]


def _ratio(ratio, least):
    if ratio.low is None:
        return f"{ratio.value:.2f}"
    shown = "~" if judge(ratio, "time", least) == SAME else f"**{ratio.value:.2f}**"
    return f"{shown} [{ratio.low:.2f}, {ratio.high:.2f}]"


def plain(text):
    """Text of the program's as it is: nothing in it is Markdown or HTML, and it stays in its cell."""
    text = re.sub(r"[\\`*_{}\[\]#~]", r"\\\g<0>", " ".join(text.split()))
    return re.sub(r"[&<>|@]", lambda mark: f"&#{ord(mark[0])};", text)
