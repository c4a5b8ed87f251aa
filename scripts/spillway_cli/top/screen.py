# SPDX-License-Identifier: MIT
"""The terminal: curses paints the page and reads the keys. Nothing here knows what a figure means."""

import codecs
import curses
import locale
import os
import signal
import sys
import time

from spillway_cli.errors import usage_error
from spillway_cli.figures.rates import Change
from spillway_cli.figures.reading import NoAnswer
from spillway_cli.top import history, page
from spillway_cli.top.header import BAR, DIM, HEAD, PLAIN, SORTED, STRONG, WARN
from spillway_cli.top.state import QUIT, READ

FIRST_INTERVAL = 0.5  # seconds, at most, until the first rates

NAMES = {
    curses.KEY_UP: "up",
    curses.KEY_DOWN: "down",
    curses.KEY_PPAGE: "page up",
    curses.KEY_NPAGE: "page down",
    curses.KEY_HOME: "home",
    curses.KEY_END: "end",
    curses.KEY_LEFT: "<",
    curses.KEY_RIGHT: ">",
}


def check_terminal():
    """UserError when no page can be painted here."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage_error("top: not a terminal; use --once for one page, or --json")
    name = os.environ.get("TERM", "")
    try:
        curses.setupterm(name, sys.stdout.fileno())
        usable = curses.tigetstr("cup") is not None and curses.tigetstr("clear") is not None
    except curses.error:
        usable = False
    if not usable:
        raise usage_error(f"top: cannot paint on a terminal '{name}' (TERM); use --once, or --json")


def show(source, state):
    """Until the user quits; the exit status. What `source.read()` raises ends it, terminal restored."""
    check_terminal()
    locale.setlocale(locale.LC_ALL, "")
    first = Change(None, source.read())  # before the screen: what is wrong there is one line
    state.read_at = time.localtime()
    before = {one: signal.signal(one, _leave) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        return curses.wrapper(lambda window: _loop(window, source, state, first))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number, _frame):
    """Through the `finally` that restores the terminal; the shell's status of a killed program."""
    raise SystemExit(128 + number)


def _loop(window, source, state, change):
    styles = _styles()
    charset = locale.nl_langinfo(locale.CODESET)
    unicode = codecs.lookup(charset).name == "utf-8"
    try:
        curses.curs_set(0)
    except curses.error:  # a terminal that can't hide it
        pass
    window.keypad(True)
    due = time.monotonic() + min(FIRST_INTERVAL, state.interval)
    while True:
        clock = time.strftime("%H:%M:%S")
        height, width = window.getmaxyx()
        lines = page.render(state, change, width, height, clock=clock, unicode=unicode)
        _paint(window, lines, styles, charset)
        wait = None if state.paused else max(0.0, due - time.monotonic())
        window.timeout(-1 if wait is None else int(wait * 1000) + 1)
        key = _key(window)
        wanted = None
        if key is not None:
            interval = state.interval
            wanted = state.press(key, page.prepare(state, change, width)[1][0])
            due += state.interval - interval
        if wanted == QUIT:
            return 0
        if wanted == READ or (not state.paused and time.monotonic() >= due):
            change = _next(source, state, change)
            due = time.monotonic() + state.interval


def _next(source, state, change):
    """The change since the last reading; the same one, and a message, while the process is mute."""
    try:
        following = Change(change.later, source.read())
    except NoAnswer as error:
        state.message = f"{error}; nothing new since {time.strftime('%H:%M:%S', state.read_at)}"
        return change
    state.message, state.read_at = "", time.localtime()
    if following.elapsed:
        state.remember(history.point(following))
    return following


def _key(window):
    """A key's name; None when the time was up, the window changed its size, or it means nothing."""
    try:
        code = window.getch()
    except curses.error:
        return None
    if code == curses.KEY_RESIZE:
        curses.update_lines_cols()
        return None
    if code in NAMES:
        return NAMES[code]
    return chr(code) if 32 <= code < 127 else None


def _paint(window, lines, styles, charset):
    window.erase()
    for row, line in enumerate(lines):
        column = 0
        for text, style in line:
            text = text.encode(charset, "replace").decode(charset)  # what the terminal's locale has
            try:
                window.addstr(row, column, text, styles[style])
            except curses.error:  # the last cell of the last line, or a window that just shrank
                break
            column = window.getyx()[1]
    window.refresh()


def _styles():
    styles = {
        PLAIN: curses.A_NORMAL,
        STRONG: curses.A_BOLD,
        DIM: curses.A_DIM,
        WARN: curses.A_BOLD,
        HEAD: curses.A_REVERSE,
        SORTED: curses.A_REVERSE | curses.A_BOLD,
        BAR: curses.A_NORMAL,
    }
    if curses.has_colors() and "NO_COLOR" not in os.environ:
        curses.start_color()
        curses.use_default_colors()
        for number, colour in enumerate((curses.COLOR_CYAN, curses.COLOR_RED, curses.COLOR_GREEN), 1):
            curses.init_pair(number, colour, -1)
        styles[DIM] = curses.color_pair(1)
        styles[WARN] = curses.color_pair(2) | curses.A_BOLD
        styles[BAR] = curses.color_pair(3)
    return styles
