# SPDX-License-Identifier: MIT
"""The comparison for a terminal of 80 columns."""

import statistics
import textwrap

from report.statistics import geometric_mean_ratio, paired_ratio
from report.verdicts import LOSS, SAME, WIN, judge
from spillway_cli.allocators import BASELINE

WIDTH = 80
HEADING = (
    f"  {'':<12}{'wall s':>7} {'against glibc':<17} {'CPU s':>6} {'against glibc':<17}"
    f" {'MiB':>6} {'faults':>7}"
)
EXPLANATION = (
    "wall, CPU: seconds, CPU of all processes together; against glibc: ratio and its 95 % interval "
    "(bootstrap, paired by round), below 1 is better, ~ is no difference beyond noise; MiB: peak "
    "resident memory of the largest process; faults: minor page faults; left MiB: what a server's processes hold 5 s "
    "after its load; all but ratios are medians."
)


def number(value):
    """At most four characters below 10000."""
    for limit, digits in ((9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def seconds(value):
    """At most six characters below 10000."""
    return f"{value:.3f}" if value < 99.9995 else f"{value:.1f}"


def count(value):
    """A whole number in at most five characters."""
    for limit, divisor, unit in ((1e4, 1, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M")):
        if value < limit:
            scaled = value / divisor
            return f"{scaled:.0f}{unit}" if divisor == 1 or scaled >= 100 else f"{scaled:.1f}{unit}"
    return f"{value / 1e9:.0f}G"


def ratio(value, least=0.0):
    """`0.83 [0.81, 0.85]`, of times; `~` in place of a ratio that may as well be 1, or by less from it
    than `least`, noise.least_difference(); no interval: the ratio alone."""
    if value.low is None:
        return number(value.value)
    shown = "~" if judge(value, "time", least) == SAME else number(value.value)
    return f"{shown:<4} [{number(value.low)}, {number(value.high)}]"


def wrapped(text, indent):
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )  # fmt: skip


def row(result, baseline, least=0.0):
    if result.failure is not None:
        text = f"FAILED: {result.failure}"
        return wrapped(text, f"  {result.allocator:<12}")
    if not result.samples:
        return f"  {result.allocator:<12}not measured"
    column = {
        field: [getattr(sample, field) for sample in result.samples]
        for field in ("wall", "cpu", "peak_rss", "minor_faults")
    }
    wall_ratio = cpu_ratio = ""
    if result.allocator != BASELINE:
        wall_ratio = ratio(paired_ratio(column["wall"], [s.wall for s in baseline.samples]), least)
        cpu_ratio = ratio(paired_ratio(column["cpu"], [s.cpu for s in baseline.samples]), least)
    medians = {field: statistics.median(values) for field, values in column.items()}
    line = (
        f"  {result.allocator:<12}{seconds(medians['wall']):>7} {wall_ratio:<17}"
        f" {seconds(medians['cpu']):>6} {cpu_ratio:<17}"
        f" {number(medians['peak_rss'] / 2**20):>6} {count(medians['minor_faults']):>7}"
    )
    return line.rstrip()


def format_comparison(comparison, least=0.0):
    """A program's heading, a line for each allocator, and its notes."""
    lines = [wrapped(f"{comparison.program.name}: {comparison.program.description}", "")]
    if comparison.failure is not None:
        return "\n".join(lines + [wrapped(f"FAILED: {comparison.failure}", "  ")])
    lines.append(HEADING)
    results = comparison.results.values()
    lines += [row(result, comparison.baseline, least) for result in results]
    left = [(result.allocator, result.median_left()) for result in results]
    left = [f"{name} {number(value / 2**20)}" for name, value in left if value is not None]
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
            shown.append(ratio(geometric_mean_ratio(pairs), least))
        failed = len(measured) - len(passed)
        note = f"without {failed} that failed" if failed else ""
        lines.append(f"  {name:<12}{'':7} {shown[0]:<17} {'':6} {shown[1]:<17} {note}".rstrip())
    return "\n".join(lines)
