# SPDX-License-Identifier: MIT
"""Everything that is printed, within 80 columns."""

import statistics
import textwrap

from report.columns import WIDTH
from report.numbers import short
from runner.goals import SUBJECT

NAME, SPREAD = 26, 6
MAX_COLUMNS = 6
SHORT = {"bare_mimalloc": "bare-mi", "one_block": "1-block"}


def number(value):
    """Three digits that matter, five characters at most and a sign."""
    if value < 0:
        return "-" + number(-value)
    if 0 < value < 0.0995:
        return f"{value:.3f}"
    return short(value) if value < 99999.5 else f"{value / 1000:.0f}k"


def middle(figures):
    return number(statistics.median(figures))


def spread(figures):
    """Half the range of the middle half of the rounds, relative to their median."""
    if len(figures) < 3 or statistics.median(figures) <= 0:
        return None
    low, _, high = statistics.quantiles(figures, n=4, method="inclusive")
    return (high - low) / 2 / statistics.median(figures)


def label(row, unit):
    """The row's name with its unit, unless it ends in it as `fill/ms` and `server/rss_mib` do."""
    return row if not unit or row.endswith(("/" + unit.lower(), "_" + unit.lower())) else f"{row} {unit}"


def rows_table(rows, allocators, disturbed, units):
    """rows: row -> allocator -> figures. Ratios are to Spillway, or to the first allocator there is."""
    lines = []
    for start in range(0, len(allocators), MAX_COLUMNS):
        lines += _block(rows, allocators[start:start + MAX_COLUMNS], allocators, disturbed, units)
    return lines


def _block(rows, names, allocators, disturbed, units):
    width = min(9, (WIDTH - NAME - SPREAD) // len(names))
    reference = SUBJECT if SUBJECT in allocators else allocators[0]
    head = f"{'median; x ' + reference:{NAME}}"
    head += "".join(f"{SHORT.get(name, name)[:width - 1]:>{width}}" for name in names)
    lines = [head + f"{'+-':>{SPREAD}}", "-" * len(head + " " * SPREAD)]
    for row, columns in rows.items():
        if not any(name in columns for name in names):
            continue
        middle = {name: statistics.median(columns[name]) for name in names if name in columns}
        noise = [s for s in (spread(columns[name]) for name in middle) if s is not None]
        mark = "*" if any((row, name) in disturbed for name in middle) else ""
        cells = "".join(f"{number(middle[name]) if name in middle else '':>{width}}"
                        for name in names)
        percent = f"{100 * max(noise):.0f}%" if noise else ""
        name = label(row, units.get(row)) + mark
        if len(name) >= NAME:  # a line of its own
            lines.append(name)
            name = ""
        lines.append(f"{name:{NAME}}{cells}{percent:>{SPREAD}}".rstrip())
        if columns.get(reference) and statistics.median(columns[reference]) > 0:
            base = statistics.median(columns[reference])
            lines.append((" " * NAME + "".join(
                f"{number(middle[name] / base) if middle.get(name, -1) >= 0 else '':>{width}}"
                for name in names)).rstrip())
    return lines + [""]


def against_table(rows, allocator, disturbed, units, bases):
    """Figures of one allocator, each with its ratio to the row that goals compare it with, if any."""
    lines = [f"{'median':{NAME}}{'':9}{'+-':>{SPREAD}}{'x':>8} row", "-" * WIDTH]
    for row, columns in rows.items():
        if allocator not in columns:
            continue
        middle, noise = statistics.median(columns[allocator]), spread(columns[allocator])
        name = label(row, units.get(row)) + ("*" if (row, allocator) in disturbed else "")
        text = f"{name:{NAME}}{number(middle):>9}"
        text += f"{'' if noise is None else f'{100 * noise:.0f}%':>{SPREAD}}"
        base = bases.get(row)
        if allocator in rows.get(base, {}) and statistics.median(rows[base][allocator]) > 0:
            text += f"{number(middle / statistics.median(rows[base][allocator])):>8} {base}"
        lines.append(text.rstrip())
    return lines


def goals_table(verdicts):
    lines = [f"{'goals':27}{'goal':21}{'measured':>9} {'result':8} at", "-" * WIDTH]
    for verdict in verdicts:
        wanted, measured, result, at = goal_cells(verdict)
        text = f"{verdict.goal.work:27}{wanted:21}{measured:>9} "
        text += "" if verdict.measured is None else f"{result:8} "
        notes = textwrap.wrap(at, WIDTH - len(text)) or [""]
        lines += [f"{text}{notes[0]}".rstrip(), *(" " * len(text) + note for note in notes[1:])]
    return lines


def goal_cells(verdict):
    """What is wanted, what was measured, the result, and where, as text."""
    goal = verdict.goal
    wanted = "" if goal.kind == "elsewhere" else _limit(goal)
    if verdict.measured is None:
        return wanted, "-", "", verdict.at
    result = verdict.result + ("" if verdict.sure else "?")
    return wanted, _measured(goal, verdict.measured), result, verdict.at


def _limit(goal):
    """Times are compared with <=, speeds with >=."""
    sign = {"times": ">=", "adds": "<"}.get(goal.kind, "<=")
    limit = f"{goal.limit:g}" if goal.kind in ("times", "adds") else f"{goal.limit:.2f}"
    other = {"fastest": "any peer", "adds": f"over {goal.other}"}.get(goal.kind, goal.other)
    return f"{sign} {limit} {goal.unit} {SHORT.get(other, other)}".rstrip()


def _measured(goal, value):
    if goal.kind == "adds":
        return f"{value:.0f} {goal.unit}"
    return f"{number(value)} {goal.unit}".rstrip()
