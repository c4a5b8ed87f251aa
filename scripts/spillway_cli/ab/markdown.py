# SPDX-License-Identifier: MIT
"""report.md: a comparison's tables in Markdown, a line for each allocator as on a terminal."""

import statistics

from spillway_cli.ab import measures, table
from spillway_cli.allocators import BASELINE

from report import columns, markdown
from report.markdown import escaped
from report.statistics import paired_ratio
from report.verdicts import LOSS, WIN, judge

EXPLANATION = (
    f"Medians of all rounds; against {BASELINE}: ratio and its 95 % interval, bold where it is a difference "
    "beyond noise."
)


def page(comparisons, report, min_difference):
    """The whole file; report: what page.content() makes of the comparisons."""
    return markdown.page(report, tables(comparisons, min_difference))


def tables(comparisons, min_difference):
    """Paragraphs."""
    parts = [part for comparison in comparisons for part in _comparison(comparison, min_difference)]
    return [*parts, *_means(comparisons, min_difference), escaped(EXPLANATION)]


def _comparison(comparison, min_difference):
    program, results = comparison.program, list(comparison.results.values())
    yield f"### {escaped(program.name)}"
    yield escaped(program.description)
    if comparison.failure is not None:
        yield _failed(comparison.failure)
        return
    shown = [*measures.standard(program), *measures.of_metrics(program)]
    heads = [""]
    for measure in shown:
        heads += [escaped(measure.heading or measure.title), *([f"against {BASELINE}"] if _has_ratio(measure) else [])]
    numbers = [at for at, head in enumerate(heads) if at and not head.startswith("against")]
    rows = [_row(result, comparison.baseline, shown, len(heads), min_difference) for result in results]
    yield markdown.table(heads, rows, numbers)
    left = table.left_text(results)
    notes = [f"{one.title}: {one.about[:1].lower()}{one.about[1:]}" for one in measures.of_metrics(program)]
    notes += [f"MiB held 5 s after the load: {left}"] if left else []
    notes += comparison.notes + [note for result in results for note in result.notes]
    if notes:
        yield "\n".join(f"- {escaped(note)}" for note in notes)


def _row(result, baseline, shown, width, min_difference):
    cells = [escaped(result.allocator)]
    if result.failure is not None:
        cells.append(_failed(result.failure))
    elif not result.samples:
        cells.append("not measured")
    else:
        for measure in shown:
            values = measure.values(result)
            cells.append(measures.column(measure).text(statistics.median(values)))
            if _has_ratio(measure):
                base = measure.values(baseline)
                cells.append("" if result is baseline else _ratio(values, base, measure, min_difference))
    return cells + [""] * (width - len(cells))


def _has_ratio(measure):
    return measures.column(measure).kind is not None


def _ratio(values, base, measure, min_difference):
    found = paired_ratio(values, base)
    shown = columns.ratio(found, measure.kind, min_difference, measure.higher)
    if judge(found, measure.kind, min_difference, measure.higher) in (WIN, LOSS):
        first, _, rest = shown.partition(" ")
        shown = f"**{first}** {rest.strip()}"
    return " ".join(shown.split())


def _failed(reason):
    return f"**FAILED**: {escaped(reason)}"


def _means(comparisons, min_difference):
    """Of the ratios of the programs that ran, for two programs or more."""
    found = table.means(comparisons)
    if not found:
        return
    yield "### All programs: geometric means of the ratios"
    rows = []
    for name, ratios, failed in found:
        cells = [" ".join(columns.ratio(one, min_difference=min_difference).split()) for one in ratios] or ["", ""]
        rows.append([escaped(name), *cells, str(failed)])
    yield markdown.table(("", "wall", "CPU", "failed"), rows, (3,))
