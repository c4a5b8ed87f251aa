# SPDX-License-Identifier: MIT
"""report.md: a report as Markdown of the kind that code hosts show, such as in a comment on a change."""

from report import files, matrix, words
from report.numbers import interval, number, ratio
from report.verdicts import floor, judge

SCALE = (
    "A cell has the median and, beside another allocator, {subject}'s figure divided by that column's with "
    "its 95 % interval: {legend}."
)


def write(path, report):
    files.write(path, page(report))


def page(report):
    parts = [f"## {escaped(report.title)}"]
    if report.warnings:
        parts.append(_list(report.warnings))
    parts += [_matrix(report), _figures(report), _folded("In words", _list(words.summary(report)))]
    if report.goals:
        parts.append(table(("work", "goal", "measured", "result", "at"), report.goals))
    machine = [table(("machine", ""), report.machine)] if report.machine else []
    if report.allocators:
        machine.append(table(("allocator", "version", "file"), report.allocators))
    parts.append(_folded("Machine and allocators", "\n\n".join(machine)))
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads, rows, numbers=()):
    """numbers: the columns, counted from 0, that stand to the right."""
    marks = ("--:" if at in numbers else "---" for at in range(len(heads)))
    lines = [f"| {' | '.join(map(escaped, heads))} |", f"|{'|'.join(marks)}|"]
    lines += [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return "\n".join(lines)


def escaped(text):
    """Nothing in it is markup, but for the <br> of this module."""
    text = str(text).replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    for mark in "|*_`~[]#":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "<br>")


def _list(lines):
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _folded(title, text):
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def _matrix(report):
    """Wins and losses, section by section."""
    lines, peers = matrix.cells(report)
    if not lines:
        return ""
    rows = [(title, *(found[peer].text() if peer in found else "" for peer in peers)) for title, found in lines]
    return table((f"{report.subject} beside", *peers), rows, range(1, len(peers) + 1))


def _figures(report):
    """A line for each row, a column for each allocator, the subject's first."""
    pairs = report.rows()
    if not pairs:
        return ""
    names = [name for name in report.names() if any(name in row.figures for _, row in pairs)]
    names.sort(key=lambda name: name != report.subject)
    programs = {row.name for _, row in pairs}
    rows = [
        (_label(section, row, len(programs) == 1), *(_cell(report, row, name) for name in names))
        for section, row in pairs
    ]  # fmt: skip
    told = SCALE.format(subject=report.subject, legend=matrix.LEGEND)
    return table(("", *names), rows, range(1, len(names) + 1)) + f"\n\n{escaped(told)}"


def _label(section, row, alone):
    label = section.title if alone else f"{row.name}: {words.measure(section, row)}"
    return label + (f", {row.unit}" if row.unit else "") + (" (more is better)" if row.higher else "")


def _cell(report, row, name):
    if name not in row.figures:
        return ""
    text = number(row.figures[name].value)
    if name in row.ratios:
        value = row.ratios[name]
        sign = matrix.SIGNS[judge(value, row.kind, floor(report), row.higher)]
        bounds = f" [{interval(value, ', ')}]" if value.low is not None else ""
        text += f"\n{ratio(value)}{bounds} {sign}"
    return text
