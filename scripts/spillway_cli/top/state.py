# SPDX-License-Identifier: MIT
"""What the user chose, and what the keys do."""

import dataclasses

from spillway_cli.top import columns

INTERVALS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)  # seconds, of the keys + and -
MAX_HISTORY = 400  # readings
# What a key wants done beyond another page.
QUIT, READ = "quit", "read"

KEYS = (
    ("q", "quit"),
    ("h ?", "this help; any key leaves it"),
    ("p", "pause; again: go on"),
    ("space", "read now"),
    ("+ -", "a longer, a shorter interval"),
    ("< >", "sort by the column to the left, to the right"),
    ("R", "the other way round"),
    ("i", "hide classes without allocations and frees; again: show them"),
    ("arrows", "scroll; also page up, page down, home, end"),
)


@dataclasses.dataclass
class State:
    interval: float = 1.0
    sort: str = columns.DEFAULT
    reverse: bool = False
    paused: bool = False
    help: bool = False
    hide_idle: bool = False
    first: int = 0  # row that is on top
    rows_shown: int = 1  # of the last page, and how many there were
    rows_known: int = 0
    message: str = ""
    read_at: object = None  # local time of the last reading
    # (resident, live, allocations a second), the latest last
    history: list = dataclasses.field(default_factory=list)

    def remember(self, point):
        self.history.append(point)
        del self.history[:-MAX_HISTORY]

    def press(self, key, shown=columns.COLUMNS):
        """Of the key's name; `shown` are the columns on the page. QUIT, READ or None."""
        if self.help and key != "q":
            self.help = False
            return None
        action = self._actions().get(key)
        if action is not None:
            return action()
        if key in ("<", ">"):
            self._sort_beside(-1 if key == "<" else 1, shown)
        elif columns.by_key(key) is not None:
            self._sort_by(columns.by_key(key))
        return None

    def _actions(self):
        return {
            "q": lambda: QUIT,
            " ": lambda: READ,
            "h": self._show_help,
            "?": self._show_help,
            "p": self._pause,
            "+": lambda: self._change_interval(1),
            "=": lambda: self._change_interval(1),  # the key of + without shift
            "-": lambda: self._change_interval(-1),
            "R": self._turn_round,
            "i": self._show_or_hide_idle,
            "up": lambda: self._scroll(-1),
            "down": lambda: self._scroll(1),
            "page up": lambda: self._scroll(-self.rows_shown),
            "page down": lambda: self._scroll(self.rows_shown),
            "home": lambda: self._scroll(-self.rows_known),
            "end": lambda: self._scroll(self.rows_known),
        }

    def _show_help(self):
        self.help = True

    def _pause(self):
        self.paused = not self.paused
        return None if self.paused else READ

    def _change_interval(self, direction):
        if direction > 0:
            longer = [one for one in INTERVALS if one > self.interval]
            self.interval = longer[0] if longer else self.interval
        else:
            shorter = [one for one in INTERVALS if one < self.interval]
            self.interval = shorter[-1] if shorter else self.interval

    def _turn_round(self):
        self.reverse = not self.reverse

    def _show_or_hide_idle(self):
        self.hide_idle = not self.hide_idle
        self.first = 0

    def _scroll(self, by):
        self.first = max(0, min(self.first + by, self.rows_known - self.rows_shown))

    def _sort_by(self, column):
        self.reverse = not self.reverse if column.name == self.sort else False
        self.sort, self.first = column.name, 0

    def _sort_beside(self, step, shown):
        names = [column.name for column in shown]
        at = names.index(self.sort) if self.sort in names else -step
        self.sort = names[max(0, min(at + step, len(names) - 1))]
        self.reverse, self.first = False, 0
