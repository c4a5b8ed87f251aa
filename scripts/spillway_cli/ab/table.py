# SPDX-License-Identifier: MIT
"""The comparison for a terminal of 80 columns."""

from spillway_cli.allocators import BASELINE

from report import columns
from report.columns import wrapped
from report.numbers import count, seconds, short
from report.statistics import geometric_mean_ratio, paired_ratio
from report.verdicts import LOSS, WIN, judge

MIB = 1 << 20
COLUMNS = {  # by field of a sample
    "wall": columns.Column("wall s", 7, seconds, "time"),
    "cpu": columns.Column("CPU s", 7, seconds, "time"),
    "peak_rss": columns.Column("MiB", 7, lambda value: short(value / MIB)),
    "minor_faults": columns.Column("faults", 8, count),
}
HEADING = columns.heading(COLUMNS.values(), BASELINE)
EXPLANATION = (
    "wall, CPU: seconds, CPU of all processes together; against glibc: ratio and its 95 % interval "
    "(bootstrap, paired by round), below 1 is better, ~ is no difference beyond noise; MiB: peak "
    "resident memory of the largest process; faults: minor page faults; left MiB: what a server's processes hold 5 s "
    "after its load; all but ratios are medians."
)


def row(result, baseline, least=0.0):
    if result.failure is not None:
        return columns.failed(result.allocator, result.failure)
    if not result.samples:
        return columns.not_measured(result.allocator)
    base = None if result.allocator == BASELINE else _values(baseline)
    return columns.line(result.allocator, COLUMNS.values(), _values(result), base, least)


def _values(result):
    return [[getattr(sample, field) for sample in result.samples] for field in COLUMNS]


def format_comparison(comparison, least=0.0):
    """A program's heading, a line for each allocator, and its notes."""
    lines = [wrapped(f"{comparison.program.name}: {comparison.program.description}")]
    if comparison.failure is not None:
        return "\n".join(lines + [wrapped(f"FAILED: {comparison.failure}", "  ")])
    lines.append(HEADING)
    results = comparison.results.values()
    lines += [row(result, comparison.baseline, least) for result in results]
    left = [(result.allocator, result.median_left()) for result in results]
    left = [f"{name} {short(value / MIB)}" for name, value in left if value is not None]
    lines += [wrapped(", ".join(left), "  left MiB    ")] if left else []
    notes = comparison.notes + [note for result in results for note in result.notes]
    lines += [wrapped(note, "  note: ") for note in notes]
    return "\n".join(lines)


def claims(comparison, least):
    """The differences in time that format_comparison(comparison, least) shows, as `allocator's wall`."""
    found = set()
    for result in comparison.results.values():
        if result.allocator == BASELINE or result.failure or not result.samples:
            continue
        for field, shown in (("wall", "wall time"), ("cpu", "CPU time")):
            values = ([getattr(s, field) for s in r.samples] for r in (result, comparison.baseline))
            if judge(paired_ratio(*values), "time", least) in (WIN, LOSS):
                found.add(f"{result.allocator}'s {shown}")
    return found


def format_summary(comparisons, names, least=0.0):
    """The geometric means over the programs, for two programs or more."""
    measured = [c for c in comparisons if not c.failure and c.rounds()]
    if len(measured) < 2:
        return ""
    lines = ["all programs: geometric mean of the ratios"]
    for name in names:
        if name == BASELINE:
            continue
        passed = [c for c in measured if not c.results[name].failure]
        if not passed:
            lines.append(f"  {name:<12}FAILED in all of them")
            continue
        shown = []
        for field in ("wall", "cpu"):
            pairs = [
                tuple([getattr(s, field) for s in c.results[which].samples] for which in (name, BASELINE))
                for c in passed
            ]
            shown.append(columns.ratio(geometric_mean_ratio(pairs), least=least))
        failed = len(measured) - len(passed)
        note = f"without {failed} that failed" if failed else ""
        lines.append(f"  {name:<12}{'':7} {shown[0]:<17} {'':6} {shown[1]:<17} {note}".rstrip())
    return "\n".join(lines)
