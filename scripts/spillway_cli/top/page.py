# SPDX-License-Identifier: MIT
"""The page, as lines of (text, style): pure, so that --once, the terminal and tests share it."""

from spillway_cli.figures.text import cells, clip, printable, right
from spillway_cli.top import columns, header, history, tenants
from spillway_cli.top.header import BAR, DIM, HEAD, PLAIN, SORTED, STRONG, WARN
from spillway_cli.top.state import KEYS

MIN_WIDTH, MIN_HEIGHT = 30, 6
FOOT = "q quit  h help  p pause  + - interval"
ROOMY = 30  # rows, from which on a line above the table stays empty
GRAPHS_FROM = 130  # cells of a terminal that also shows how figures moved


def render(state, change, width, height, *, clock="", unicode=False):
    """At most `height` lines, none wider than `width`; notes in `state` how many rows there were."""
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return [[(clip("too small", width), PLAIN)]]
    if state.help:
        return _help(width, height)
    facts = header.grid(header.groups(change), width, max(1, height * 3 // 8))
    if width >= GRAPHS_FROM:
        facts = history.beside(facts, state.history, width, unicode)
    top = [header.title(change, state.interval, state.paused, clock, width), *facts]
    rows, shown = prepare(state, change, width)
    below = tenants.lines(change, width, height // 4)
    room = height - len(top) - len(below) - 3  # heading, total, foot
    if room > len(rows) or room > ROOMY:
        top.append([])
        room -= 1
    state.rows_known, state.rows_shown = len(rows), max(1, room)
    state.first = max(0, min(state.first, len(rows) - room))
    lines = top + table(state, change, rows[state.first :][:room], shown, width) + below
    lines = lines[: height - 1] + [[]] * (height - 1 - len(lines))
    return lines + [_foot(state, change, len(rows), room, width)]


def once(state, change, width):
    """The whole page without an end, for a reader that is no terminal."""
    rows, shown = prepare(state, change, width)
    lines = [header.title(change, state.interval, False, "", width)]
    lines += header.grid(header.groups(change), width) + [[]]
    return lines + table(state, change, rows, shown, width) + tenants.lines(change, width)


def prepare(state, change, width):
    """(the rows in their order, (the columns that are shown, the gap between them))."""
    rows = [row for row in change.rows if row.busy or (row.used and not state.hide_idle)]
    return (
        columns.ordered(rows, columns.find(state.sort), state.reverse),
        columns.fitting(rows, width),
    )


def plain(lines):
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def table(state, change, rows, shown, width):
    """Heading, these rows, the total of all that there are."""
    shown, gap = shown
    between = (" " * gap, PLAIN)
    used = sum(column.width + gap for column in shown) - gap
    bar = min(columns.BAR_MAX, width - used - gap)
    largest = max((row.live_bytes or 0 for row in change.rows), default=0)
    heading, last = [], []
    for column in shown:
        style = SORTED if column.name == state.sort else HEAD
        heading += [(" " * gap, HEAD), (right(column.heading, column.width), style)]
        text = "total" if column.name == "size" else _total(column, change.rows)
        last += [between, (right(text, column.width), STRONG)]
    heading.append((" " * (width - used), HEAD))
    lines = [heading[1:]]
    for row in rows:
        line = []
        for column in shown:
            line += [between, (right(_cell(column, row), column.width), PLAIN)]
        if bar >= columns.BAR_MIN and largest:
            length = round(bar * (row.live_bytes or 0) / largest)
            line += [between, ("|" * length, BAR)]
        lines.append(line[1:])
    return lines + [last[1:]]


def _cell(column, row):
    if column.name == "size" and row.name:
        return row.name
    return column.text(column.value(row))


def _total(column, rows):
    value = columns.total(rows, column)
    return "" if value is None else column.text(value)


def _foot(state, change, rows, room, width):
    if state.message:
        return [(clip(printable(state.message), width - 1), WARN)]
    if change.anew:
        return [(clip("another program runs in the process: rates begin anew", width - 1), WARN)]
    text = f"{FOOT}  < > sort ({state.sort}{', reversed' if state.reverse else ''})"
    if rows > room:
        where = f"rows {state.first + 1}-{min(rows, state.first + room)} of {rows}"
        if cells(text) + cells(where) + 3 < width:
            text += f"  {where}"
    return [(clip(text, width - 1), DIM)]


def _help(width, height):
    lines = [[("spillway top", STRONG)]]
    lines += [[(f"  {key:8}", STRONG), (text, PLAIN)] for key, text in KEYS]
    lines.append([("sorts by", STRONG), (" (again: the other way round)", PLAIN)])
    for column in columns.COLUMNS:
        lines.append(
            [(f"  {column.key:3}", STRONG), (f"{column.heading:13}", PLAIN), (column.help, PLAIN)]
        )
    return [_clipped(line, width - 1) for line in lines[:height]]


def _clipped(line, width):
    found = []
    for text, style in line:
        text = clip(text, width)
        width -= cells(text)
        found.append((text, style))
    return found
