# SPDX-License-Identifier: MIT
"""The doctor's findings for a terminal, and as JSON."""

import shutil
import textwrap

from spillway_cli.doctor import verdict
from spillway_cli.figures.text import printable
from spillway_cli.figures.units import bytes_text, count_text

MARK_WIDTH, TOPIC_WIDTH = 8, 12
MIN_WIDTH, MAX_WIDTH = 50, 100


def width():
    return min(MAX_WIDTH, max(MIN_WIDTH, shutil.get_terminal_size().columns))


def section(title, findings, columns=80):
    """Lines of text."""
    lines = [title]
    for one in findings:
        action = f" -> {one.action}" if one.action else ""
        lines += _entry(one.mark, one.topic, f"{one.text}{action}", columns)
    return lines


def _entry(mark, topic, text, columns):
    head = f"  {mark:{MARK_WIDTH}}{topic:{TOPIC_WIDTH}}"
    return textwrap.wrap(
        printable(text), columns, initial_indent=head, subsequent_indent=" " * len(head),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def table(requests):
    """What the process asked for, by size."""
    lines = [f"  {'':16}{'calls':>18}{'bytes':>20}{'live at most':>20}"]
    for group, name in enumerate(verdict.GROUPS):
        cells = []
        for what, text, cell in (("calls", count_text, 18), ("bytes", bytes_text, 20), ("live", bytes_text, 20)):
            share = requests.share(what, group)
            shown = "-" if share is None else verdict.share_text(share)
            cells.append(f"{text(getattr(requests, what)[group])} {_short(shown):>7}".rjust(cell))
        lines.append(f"  {name:16}{''.join(cells)}")
    return lines


def _short(percent):
    return percent.replace("less than ", "<").replace("more than ", ">")


def conclusion(found, columns=80):
    action = f" -> {found.action}" if found.action else ""
    text = printable(f"{found.answer}: {found.text}{action}")
    return ["verdict", *textwrap.wrap(text, columns, initial_indent="  ", subsequent_indent="  ",
                                      break_long_words=False, break_on_hyphens=False)]  # fmt: skip


def as_json(sections, requests, process, found, status):
    """A dictionary; what is not known is null."""
    return {
        "findings": [
            {"section": name, "mark": one.mark, "topic": one.topic, "text": one.text, "action": one.action or None}
            for name, findings in sections.items()
            for one in findings
        ],
        "requests": requests and {
            "process": process.pid,
            "program": process.program,
            "sizes": [
                {
                    "min_bytes": min_bytes,
                    "calls": requests.calls[group],
                    "bytes": requests.bytes[group],
                    "live_bytes": requests.live[group],
                }
                for group, min_bytes in enumerate((0, verdict.MIDDLE, verdict.LARGE))
            ],
            "histogram": [{"min_bytes": one.min_bytes, **one.values} for one in process.sizes],
        },
        "verdict": found and {"answer": found.answer, "text": found.text, "action": found.action},
        "status": status,
    }
