# SPDX-License-Identifier: MIT
"""The page's tables: every figure that a plot shows, as text."""

import html

from report import matrix, means
from report.numbers import interval, number, ratio
from report.verdicts import LOSS, SAME, UNTOLD, WIN, floor, judge

# What stands before a ratio, so that no colour is needed to read it.
MARKS = {LOSS: "▲ ", WIN: "▼ ", SAME: "~ ", UNTOLD: "? "}
MORE_IS_BETTER = MARKS | {LOSS: "▼ ", WIN: "▲ "}
DASH = "–"
WORDS = {LOSS: "worse", WIN: "better", SAME: "no difference beyond noise", UNTOLD: "too few rounds to tell"}
TALLY = {LOSS: "worse", WIN: "better", SAME: "~", UNTOLD: "?"}


def escaped(text):
    return html.escape(str(text))


def figures(report, section, colours):
    """Medians, intervals and ratios of a section's rows; a column for each allocator that has any.

    The subject's comes first: it stays in sight on a narrow screen.
    """
    names = [n for n in report.names() if any(n in row.figures for row in section.rows)]
    names.sort(key=lambda name: name != report.subject)
    head = "".join(_allocator_head(name, report, colours) for name in names)
    lines = [_row(report, row, names) for row in section.rows]
    caption = "Median, its 95 % interval"
    if any(row.ratios for row in section.rows):
        caption += (
            f", and {escaped(report.subject)}'s figure divided by that column's: ▲ above 1, worse; "
            "▼ below 1, better; ~ no difference beyond noise; ? too few rounds to tell"
        )
        if any(row.higher for row in section.rows):
            caption += "; where more is better, ▲ is better and ▼ worse"
    return _table(caption, f'<th scope="col">row</th>{head}', lines)


def _allocator_head(name, report, colours):
    kind = ' class="subject"' if name == report.subject else ""
    key = f'<span class="key" style="--key: var({colours.name_of_variable(name)})">{escaped(name)}</span>'
    return f'<th scope="col"{kind}>{key}</th>'


def _row(report, row, names):
    unit = f'<span class="unit">, {escaped(row.unit)}</span>' if row.unit else ""
    unit += '<span class="unit">more is better</span>' if row.higher else ""
    cells = "".join(_cell(report, row, name) for name in names)
    return f'<tr><th scope="row" title="{escaped(row.about)}">{escaped(row.name)}{unit}</th>{cells}</tr>'


def _cell(report, row, name):
    kind = ' class="subject"' if name == report.subject else ""
    figure = row.figures.get(name)
    if figure is None:
        return f"<td{kind}>–</td>"
    text = f"<b>{number(figure.value)}</b>"
    if figure.low is not None:
        text += f'<span class="interval">{interval(figure, DASH)}</span>'
    if name in row.ratios:
        verdict = judge(row.ratios[name], row.kind, floor(report), row.higher)
        text += _ratio(row.ratios[name], verdict, row.higher)
    return f"<td{kind}>{text}</td>"


def _ratio(value, verdict, higher=False):
    marks = MORE_IS_BETTER if higher else MARKS
    bounds = f" [{interval(value, DASH)}]" if value.low is not None else ""
    return f'<span class="{verdict}" title="{WORDS[verdict]}">{marks[verdict]}{ratio(value)}{bounds}</span>'


def wins_and_losses(report):
    """A line for each section, a column for each other allocator; empty without anything to compare."""
    lines, peers = matrix.cells(report)
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{escaped(peer)}</th>' for peer in peers)
    shown = []
    for title, found in lines:
        cells = "".join(f"<td>{_tally(found[peer])}</td>" if peer in found else "<td>–</td>" for peer in peers)
        shown.append(f'<tr><th scope="row">{escaped(title)}</th>{cells}</tr>')
    caption = f"{escaped(report.subject)} beside each other allocator: rows that are worse, better, or neither"
    if any(cell.ratio for _, found in lines for cell in found.values()):
        caption += "; of a single row its figure divided by the other's"
    return _table(caption, f'<th scope="col">beside</th>{head}', shown)


def _tally(cell):
    if cell.ratio is not None:
        return _ratio(cell.ratio, cell.verdict(), cell.higher)
    return "".join(
        f'<span class="{verdict}">{count} {TALLY[verdict]}</span>' for verdict, count in cell.counts.items()
    )  # fmt: skip


def geometric_means(report):
    """The subject against each other allocator; empty without one."""
    kinds = [(kind, means.of_subject(report, kind)) for kind in ("time", "memory")]
    kinds = [(kind, found) for kind, found in kinds if found]
    names = [name for name in report.names() if any(name in found for _, found in kinds)]
    if not names:
        return ""
    head = '<th scope="col">against</th>' + "".join(f'<th scope="col">{kind}</th>' for kind, _ in kinds)
    lines = []
    for name in names:
        cells = "".join(_mean(report, kind, found.get(name)) for kind, found in kinds)
        lines.append(f'<tr><th scope="row">{escaped(name)}</th>{cells}</tr>')
    caption = f"Geometric mean of {escaped(report.subject)}'s figures divided by the other's, over all rows"
    return _table(caption, head, lines)


def _mean(report, kind, found):
    if found is None:
        return "<td>–</td>"
    value, rows = found
    counted = f'<span class="interval">{rows} row{"s" if rows > 1 else ""}</span>'
    return f"<td>{_ratio(value, judge(value, kind, floor(report)))}{counted}</td>"


def goals(report):
    head = "".join(
        f'<th scope="col" class="text">{name}</th>' for name in ("work", "goal", "measured", "result", "at")
    )
    lines = []
    for work, *others in report.goals:
        missed = str(others[2]).lower().startswith(("not", "miss"))
        cells = "".join(
            f'<td class="text{" missed" if missed and i == 2 else ""}">{escaped(text)}</td>'
            for i, text in enumerate(others)
        )
        lines.append(f'<tr><th scope="row">{escaped(work)}</th>{cells}</tr>')
    return _table("", head, lines)


def plain(heads, rows):
    """A table of text only; `heads` may be empty."""
    head = "".join(f'<th scope="col" class="text">{escaped(name)}</th>' for name in heads)
    lines = []
    for first, *others in rows:
        cells = "".join(f'<td class="text">{escaped(text)}</td>' for text in others)
        lines.append(f'<tr><th scope="row">{escaped(first)}</th>{cells}</tr>')
    return _table("", head, lines)


def _table(caption, head, lines):
    caption = f"<caption><span>{caption}</span></caption>" if caption else ""
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    body = "\n".join(lines)
    return (
        f'<div class="scroll" tabindex="0"><table>{caption}{head}\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
