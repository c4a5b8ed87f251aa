# SPDX-License-Identifier: MIT
"""The comparison for a terminal of 80 columns."""

from spillway_cli.ab import measures
from spillway_cli.allocators import BASELINE

from report import columns
from report.columns import wrapped
from report.numbers import short
from report.statistics import geometric_mean_ratio, paired_ratio
from report.verdicts import LOSS, WIN, judge

HEADING = columns.heading(map(measures.column, measures.COMMAND[:-1]), BASELINE)
METRICS_IN_A_TABLE = 2  # of 80 columns
LEGEND = (
    ("wall s", "until the command itself ended"),
    ("CPU s", "processor time of all its processes together"),
    columns.against(BASELINE),
    ("MiB", "peak resident memory of the largest process"),
    ("faults", "minor page faults"),
    ("left MiB", "what a server's processes hold 5 s after its load"),
)
OF_SERVERS = (
    ("load s", "how long the load took"),
    ("CPU s", "processor time of all the server's processes together during the load"),
    columns.against(BASELINE),
    ("MiB", "peak resident memory of its largest process during the load"),
    ("faults", "its minor page faults during the load"),
    ("left MiB", "what its processes hold 5 s after the load"),
)


def explanation(program):
    """Of a program's table; lines."""
    metrics = [
        (metric.name, f"the last match of {metric.pattern}, {'more' if metric.higher else 'less'} is better")
        for metric in program.metrics
    ]  # fmt: skip
    return columns.legend([*(OF_SERVERS if program.server else LEGEND), *metrics])


def _table(results, baseline, shown, min_difference):
    """Lines with a column for each of the measures `shown`."""
    made = [measures.column(measure) for measure in shown]
    lines = [columns.heading(made, BASELINE)]
    for result in results:
        if result.failure is not None:
            lines.append(columns.failed(result.allocator, result.failure))
        elif not result.samples:
            lines.append(columns.not_measured(result.allocator))
        else:
            base = None if result is baseline else [measure.values(baseline) for measure in shown]
            values = [measure.values(result) for measure in shown]
            lines.append(columns.line(result.allocator, made, values, base, min_difference))
    return lines


def format_comparison(comparison, min_difference=0.0):
    """A program's heading, a line for each allocator, and its notes."""
    program, results = comparison.program, list(comparison.results.values())
    lines = [wrapped(f"{program.name}: {program.description}")]
    if comparison.failure is not None:
        return "\n".join(lines + [wrapped(f"FAILED: {comparison.failure}", "  ")])
    lines += _table(results, comparison.baseline, measures.standard(program), min_difference)
    own, passed = measures.of_metrics(program), [r for r in results if r.samples and not r.failure]
    for start in range(0, len(own) if passed else 0, METRICS_IN_A_TABLE):
        lines += _table(passed, comparison.baseline, own[start : start + METRICS_IN_A_TABLE], min_difference)
    left = left_text(results)
    lines += [wrapped(left, "  left MiB    ")] if left else []
    notes = comparison.notes + [note for result in results for note in result.notes]
    lines += [wrapped(note, "  note: ") for note in notes]
    return "\n".join(lines)


def left_text(results):
    """`glibc 20.0, one 5.00`: MiB; empty for what is no server."""
    left = [(result.allocator, result.median_left()) for result in results]
    return ", ".join(f"{name} {short(value / measures.MIB)}" for name, value in left if value is not None)


def claims(comparison, min_difference):
    """The differences that format_comparison(comparison, min_difference) shows, as `allocator's wall time`."""
    found = set()
    program = comparison.program
    if comparison.failure:
        return found
    for result in comparison.results.values():
        if result.allocator == BASELINE or result.failure or not result.samples:
            continue
        for measure in (*measures.standard(program)[:2], *measures.of_metrics(program)):
            ratio = paired_ratio(measure.values(result), measure.values(comparison.baseline))
            if judge(ratio, measure.kind, min_difference, measure.higher) in (WIN, LOSS):
                found.add(f"{result.allocator}'s {measure.lower_title()}")
    return found


def means(comparisons):
    """[(allocator, [Ratio of wall time, of processor time], how many programs failed)], geometric means over
    the others; without ratios where all failed. Empty for fewer than two programs."""
    measured = [c for c in comparisons if not c.failure and c.rounds()]
    found = []
    for name in measured[0].results if len(measured) >= 2 else ():
        passed = [c for c in measured if not c.results[name].failure]
        pairs = [
            [(measure.values(c.results[name]), measure.values(c.baseline)) for c in passed]
            for measure in measures.COMMAND[:2] if passed
        ]  # fmt: skip
        if name != BASELINE:
            found.append((name, [geometric_mean_ratio(one) for one in pairs], len(measured) - len(passed)))
    return found


def format_summary(comparisons, min_difference=0.0):
    """The geometric means over the programs, for two programs or more."""
    lines = []
    for name, ratios, failed in means(comparisons):
        if not ratios:
            lines.append(f"  {name:<12}FAILED in all of them")
            continue
        wall, cpu = (columns.ratio(one, min_difference=min_difference) for one in ratios)
        note = f"without {failed} that failed" if failed else ""
        lines.append(f"  {name:<12}{'':7} {wall:<17} {'':6} {cpu:<17} {note}".rstrip())
    return "\n".join(["all programs: geometric mean of the ratios", *lines]) if lines else ""
