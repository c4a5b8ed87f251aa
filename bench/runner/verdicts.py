# SPDX-License-Identifier: MIT
"""Holds the goals against the medians. Pure functions of a Figures object."""

import dataclasses
import random
import statistics

from runner.goals import MORE_PEERS, PEERS, ROWS_COMPARED, SUBJECT

MET, MISSED, OPEN = "met", "NOT MET", "-"
RESAMPLES = 400
CONFIDENCE = 0.95
MIN_ROUNDS = 5  # to draw from


@dataclasses.dataclass(frozen=True)
class Verdict:
    goal: object
    measured: float | None
    at: str  # the row that decided, if there are several, or why nothing was measured
    result: str
    # At least three rounds, and three of four, agree, each by itself; so do all but 5 % of draws from
    # them with replacement; most were undisturbed; and of times, the limit is not within the noise.
    sure: bool


class Figures:
    """rows[row][allocator] is a list with one figure per round, or with one of all rounds together.

    disturbed: the (row, allocator) that other programs disturbed in most rounds; times: the rows that
    are times, which a noisy machine changes.
    """

    def __init__(self, rows, disturbed=frozenset(), times=frozenset()):
        self.rows = rows
        self.disturbed = disturbed
        self.times = times

    def median(self, row, allocator):
        return statistics.median(self.rows[row][allocator])

    def has(self, row, allocator):
        return bool(self.rows.get(row, {}).get(allocator))

    def by_round(self, row, allocator):
        return self.rows[row][allocator]

    def drawn(self, rows, rounds):
        """Of these rows, with these of their rounds in place of all."""
        return Figures({row: {name: [values[i] for i in rounds]
                              for name, values in self.rows[row].items()} for row in rows})

    def peers(self, row):
        return [name for name in (*PEERS, *MORE_PEERS) if self.has(row, name)]


def judge(goal, figures, min_difference=0.0):
    """min_difference: of noise.min_difference(), the share below which differences in time can't be told."""
    if goal.kind == "elsewhere":
        return Verdict(goal, None, goal.other, OPEN, True)
    missing = _missing(goal, figures)
    if missing:
        return Verdict(goal, None, missing, OPEN, True)
    measured, at, rounds, rows = _worst(goal, figures)
    result = MET if _holds(goal, measured) else MISSED
    disturbed = any((row, name) in figures.disturbed
                    for row in goal.rows for name in (SUBJECT, *_others(goal, figures, row)))
    hidden = (min_difference and figures.times.intersection(rows)
              and abs(measured - goal.limit) <= min_difference * _whole(goal, rows, figures))
    sure = (not disturbed and not hidden
            and _agree(goal, rounds, result) and _draws_agree(goal, figures, result))
    return Verdict(goal, measured, at, result, sure)


def judge_all(goals, figures, min_difference=0.0):
    return [judge(goal, figures, min_difference) for goal in goals]


def _whole(goal, rows, figures):
    """What the noise is a share of: the limit, or of a difference the larger figure, in its unit."""
    if goal.kind == "adds":
        return max(figures.median(rows[0], name) for name in (SUBJECT, goal.other))
    if goal.kind == "extra":
        base, *others = (figures.median(row, SUBJECT) for row in rows)
        return max(others) / base
    return goal.limit


def _others(goal, figures, row):
    if goal.kind == "fastest":
        return figures.peers(row)
    return [goal.other] if goal.other else []


def _missing(goal, figures):
    allocators = [SUBJECT] + ([goal.other] if goal.other else [])
    if goal.kind == "fastest":
        allocators += PEERS
    for allocator in allocators:
        if not any(allocator in columns for columns in figures.rows.values()):
            return f"no {allocator}"
    for row in goal.rows:
        for allocator in allocators:
            if not figures.has(row, allocator):
                return f"{allocator} has no {row}"
    return None


def _worst(goal, figures):
    """What _measure() has of the rows that decide, and these rows."""
    found = [(*_measure(goal, rows, figures), rows) for rows in _row_groups(goal)]
    return (min if goal.kind == "times" else max)(found, key=lambda one: one[0])


def _row_groups(goal):
    """What is judged as one: every row by itself, unless the goal compares rows."""
    step = len(goal.rows) if goal.kind in ("mean", "even") else ROWS_COMPARED.get(goal.kind, 1)
    return [goal.rows[i:i + step] for i in range(0, len(goal.rows), step)]


def _measure(goal, rows, figures):
    """(measured, which row decided, the same figure computed round by round)"""
    at = rows[0].partition("/")[2] if len(goal.rows) > 1 else ""
    if goal.kind == "mean":
        medians = [figures.median(row, SUBJECT) / figures.median(row, goal.other) for row in rows]
        rounds = [[a / b for a, b in zip(figures.by_round(row, SUBJECT),
                                         figures.by_round(row, goal.other))] for row in rows]
        mean = statistics.geometric_mean
        return mean(medians), "", [mean(one) for one in zip(*rounds)]
    if goal.kind == "absolute":
        return figures.median(rows[0], SUBJECT), at, figures.by_round(rows[0], SUBJECT)
    if goal.kind == "extra":
        base, without, full = [figures.by_round(row, SUBJECT) for row in rows]
        rounds = [(c - b) / a for a, b, c in zip(base, without, full)]
        base, without, full = [figures.median(row, SUBJECT) for row in rows]
        return (full - without) / base, _last_row(goal, rows), rounds
    if goal.kind == "even":
        ordered = sorted(rows, key=lambda row: figures.median(row, SUBJECT))
        top, bottom = (ordered[-1], SUBJECT), (ordered[0], SUBJECT)
        at = "/".join(row.partition("/")[2] for row in (ordered[-1], ordered[0]))
    elif goal.kind == "scaling":
        top, bottom, at = (rows[1], SUBJECT), (rows[0], SUBJECT), _last_row(goal, rows)
    elif goal.kind == "fastest":
        best = min(figures.peers(rows[0]), key=lambda peer: figures.median(rows[0], peer))
        top, bottom, at = (rows[0], SUBJECT), (rows[0], best), f"{at}, {best}" if at else best
    elif goal.kind == "times":
        top, bottom = (rows[0], goal.other), (rows[0], SUBJECT)
    else:
        top, bottom = (rows[0], SUBJECT), (rows[0], goal.other)
    combine = (lambda a, b: a - b) if goal.kind == "adds" else (lambda a, b: a / b)
    rounds = [combine(a, b) for a, b in zip(figures.by_round(*top), figures.by_round(*bottom))]
    return combine(figures.median(*top), figures.median(*bottom)), at, rounds


def _last_row(goal, rows):
    """Of which rows the figure is, where a goal compares several times."""
    return rows[-1].partition("/")[2] if len(goal.rows) > len(rows) else ""


def _holds(goal, value):
    if goal.kind == "times":
        return value >= goal.limit
    return value < goal.limit if goal.kind == "adds" else value <= goal.limit


def _agree(goal, rounds, result):
    """At least three of four rounds, and three rounds, come to the same result by themselves."""
    same = sum((MET if _holds(goal, value) else MISSED) == result for value in rounds)
    return same >= 3 and same >= 0.75 * len(rounds)


def _draws_agree(goal, figures, result):
    count = len(figures.by_round(goal.rows[0], SUBJECT))
    if count < MIN_ROUNDS:
        return True
    source = random.Random(1)
    same = 0
    for _ in range(RESAMPLES):
        drawn = figures.drawn(goal.rows, source.choices(range(count), k=count))
        same += (MET if _holds(goal, _worst(goal, drawn)[0]) else MISSED) == result
    return same >= CONFIDENCE * RESAMPLES
