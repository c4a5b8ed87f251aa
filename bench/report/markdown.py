# SPDX-License-Identifier: MIT
"""A report as Markdown of the kind that code hosts show: for a job's summary, or a comment on a change."""

import re

from report import matrix, words


def page(report, tables=()):
    """tables: paragraphs of Markdown with the figures, between wins and losses and what they come to."""
    parts = [f"## {escaped(report.title)}"]
    if report.warnings:
        parts.append(_list(report.warnings))
    parts += [_matrix(report), *tables, _folded("In words", _list(words.summary(report)))]
    machine = [table(("machine", ""), map(_escaped_row, report.machine))] if report.machine else []
    if report.allocators:
        machine.append(table(("allocator", "version", "file"), map(_escaped_row, report.allocators)))
    parts.append(_folded("Machine and allocators", "\n\n".join(machine)))
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads, rows, numbers=()):
    """Of cells that are Markdown. numbers: the columns, counted from 0, that stand to the right."""
    marks = ("--:" if at in numbers else "---" for at in range(len(heads)))
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(marks)}|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def escaped(text):
    """Text as it is: nothing in it is Markdown, HTML or a mention, and it stays in its cell."""
    text = re.sub(r"[\\`*_{}\[\]#~]", r"\\\g<0>", " ".join(str(text).split()))
    return re.sub(r"[&<>|@]", lambda mark: f"&#{ord(mark[0])};", text)


def _escaped_row(row):
    return [escaped(cell) for cell in row]


def _list(lines):
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _folded(title, text):
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def _matrix(report):
    """Wins and losses, section by section."""
    lines, peers = matrix.cells(report)
    if not lines:
        return ""
    rows = [
        (title, *(found[peer].text() if peer in found else "" for peer in peers)) for title, found in lines
    ]  # fmt: skip
    heads = [f"{escaped(report.subject)} beside", *map(escaped, peers)]
    made = table(heads, map(_escaped_row, rows), range(1, len(heads)))
    return f"{made}\n\n{escaped(matrix.ABOUT)}"
