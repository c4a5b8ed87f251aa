# SPDX-License-Identifier: MIT
"""The page's tables: every figure that a plot shows, as text."""

import html

from report import means
from report.numbers import interval, number, ratio
from report.verdicts import LOSS, SAME, WIN, floor, judge

# What stands before a ratio, so that no colour is needed to read it.
MARKS = {LOSS: "▲ ", WIN: "▼ ", SAME: "~ "}
DASH = "–"
WORDS = {LOSS: "worse", WIN: "better", SAME: "no difference beyond noise"}


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
            "▼ below 1, better; ~ no difference beyond noise"
        )
    return _table(caption, f'<th scope="col">row</th>{head}', lines)


def _allocator_head(name, report, colours):
    kind = ' class="subject"' if name == report.subject else ""
    key = f'<span class="key" style="--key: var({colours.name_of_variable(name)})">{escaped(name)}</span>'
    return f'<th scope="col"{kind}>{key}</th>'


def _row(report, row, names):
    unit = f'<span class="unit">, {escaped(row.unit)}</span>' if row.unit else ""
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
        text += _ratio(row.ratios[name], judge(row.ratios[name], row.kind, floor(report)))
    return f"<td{kind}>{text}</td>"


def _ratio(value, verdict):
    bounds = f" [{interval(value, DASH)}]" if value.low is not None else ""
    title = f' title="{WORDS[verdict]}"' if verdict in WORDS else ""
    return f'<span class="{verdict}"{title}>{MARKS.get(verdict, "")}{ratio(value)}{bounds}</span>'


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
