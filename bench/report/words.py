# SPDX-License-Identifier: MIT
"""A report in plain sentences: first what speaks against the subject, then the rest.

A difference inside the noise is neither a win nor a loss.
"""

import collections
import dataclasses

from report import means
from report.numbers import interval, percent, ratio
from report.statistics import MIN_ROUNDS
from report.verdicts import LOSS, SAME, UNTOLD, WIN, floor, judge

MAX_NAMED = 3  # rows named in a sentence; the others are counted
# kind -> (what the better of two does, what the subject does, the rows' name)
WORDS = {
    "time": ("is faster", "takes", "time"),
    "memory": ("is smaller", "needs", "memory"),
    "count": ("counts less", "counts", "count"),
    "metric": ("is better", "has", "metric"),
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A row beside a peer's."""

    verdict: str
    ratio: float  # of the subject's figure to the peer's
    label: str
    badness: float  # the ratio, or 1 / it where more is better


@dataclasses.dataclass(frozen=True)
class Summary:
    """Lists of sentences, in the order in which they are to be read."""

    against: list  # where another is better
    unclear: list  # where neither is, and why more can't be told
    in_favour: list
    means: list

    def all(self):
        return self.against + self.unclear + self.in_favour + self.means


def summary(report):
    """A list of sentences."""
    return grouped(report).all()


def grouped(report):
    if report.subject not in report.names() or not _measured(report):
        return Summary([f"{report.subject} has no figures: there is nothing to say about it."], [], [], [])
    found = _sorted_out(report)
    if not found:
        alone = f"{report.subject} was measured alone: there is nothing to compare it with."
        return Summary([alone], [], [], [])
    against = [_against(report, *key, rows) for key, rows in _worst_first(found)]
    verdicts = {entry.verdict for rows in found.values() for entry in rows}
    if not against and verdicts != {UNTOLD}:
        against.append("No other allocator is faster or smaller, or counts less, beyond noise.")
    unclear = _noise(report) + _same(found)
    if UNTOLD in verdicts:
        unclear.append(
            f"Rows with fewer than {MIN_ROUNDS} rounds have no interval: whether their ratios "
            "are differences or noise can't be told."
        )
    in_favour = [_in_favour(report, *key, rows) for key, rows in _best_first(found)]
    return Summary(against, unclear, in_favour, _means(report))


def labels(report):
    """{id(row): how to call it}: its name, with its section where the name alone is not unique."""
    often = collections.Counter(row.name for _, row in report.rows())
    return {
        id(row): row.name if often[row.name] == 1 else f"{row.name} ({measure(section, row)})"
        for section, row in report.rows()
    }


def measure(section, row):
    """The section's title inside a sentence; a metric's name stays as its user wrote it."""
    return section.title if row.kind == "metric" else section.title[:1].lower() + section.title[1:]


def noise_sentence(share):
    """Of noise.min_difference()."""
    return (
        f"The machine was noisy: the same work took {percent(share)} more or less from one moment to "
        f"the next. Differences in time below {percent(share)} can't be told."
    )


def _measured(report):
    return any(report.subject in row.figures for _, row in report.rows())


def _sorted_out(report):
    """{(peer, kind): [Entry]}"""
    names, min_difference = labels(report), floor(report)
    found = {}
    for _, row in report.rows():
        for peer in report.names():
            if peer in row.ratios and peer != report.subject:
                ratio_to = row.ratios[peer]
                entry = Entry(
                    judge(ratio_to, row.kind, min_difference, row.higher), ratio_to.value, names[id(row)],
                    1 / ratio_to.value if row.higher else ratio_to.value,
                )  # fmt: skip
                found.setdefault((peer, row.kind), []).append(entry)
    return found


def _worst_first(found):
    """The entries with losses; kinds in the order of WORDS, in each the worst loss first."""
    return _ordered(found, LOSS, lambda ratios: -max(ratios))


def _best_first(found):
    return _ordered(found, WIN, min)


def _ordered(found, verdict, rank):
    chosen = []
    for (peer, kind), rows in found.items():
        ratios = [r.badness for r in rows if r.verdict == verdict]
        if ratios:
            chosen.append((list(WORDS).index(kind), rank(ratios), (peer, kind), rows))
    return [entry[2:] for entry in sorted(chosen, key=lambda entry: entry[:2])]


def _against(report, peer, kind, rows):
    better, does, noun = WORDS[kind]
    lost = sorted((r for r in rows if r.verdict == LOSS), key=lambda r: -r.badness)
    return (
        f"{peer} {better} than {report.subject} in {_of(lost, rows)} {noun} rows: "
        f"{report.subject} {does} {_named(lost)}."
    )


def _in_favour(report, peer, kind, rows):
    better, does, noun = WORDS[kind]
    won = sorted((r for r in rows if r.verdict == WIN), key=lambda r: r.badness)
    return (
        f"{report.subject} {better} than {peer} in {_of(won, rows)} {noun} rows: "
        f"it {does} {_named(won)}."
    )


def _named(rows):
    """The first rows by name; what the others come to at most."""
    named = [f"{_share(r.ratio)} in {r.label}" for r in rows[:MAX_NAMED]]
    rest = rows[MAX_NAMED:]
    if rest:
        at_most = "up to " if len(rest) > 1 else ""
        named.append(f"{at_most}{_share(rest[0].ratio)} in {len(rest)} other{'s'[: len(rest) - 1]}")
    return _list(named)


def _same(found):
    sentences = []
    for kind, (_, _, noun) in WORDS.items():
        parts = []
        for (peer, of_kind), rows in found.items():
            same = [r for r in rows if r.verdict == SAME]
            if of_kind == kind and same:
                which = ": " + _list([r.label for r in same]) if len(same) <= MAX_NAMED else ""
                parts.append(f"{peer} in {_of(same, rows)} rows{which}")
        if parts:
            sentences.append(f"No difference in {noun} beyond noise: {'; '.join(parts)}.")
    return sentences


def _noise(report):
    min_difference = floor(report)
    return [noise_sentence(min_difference)] if min_difference else []


def _means(report):
    sentences = []
    for kind in ("time", "memory"):
        found = means.of_subject(report, kind)
        if not found:
            continue
        most = max(rows for _, rows in found.values())
        parts = [_mean(peer, mean, rows, most, judge(mean, kind, floor(report)))
                 for peer, (mean, rows) in found.items()]  # fmt: skip
        sentences.append(
            f"Geometric mean over {most} {WORDS[kind][2]} row{'s' if most > 1 else ''} of "
            f"{report.subject}'s figure by the other's, below 1 where {report.subject} is better: "
            f"{_list(parts)}."
        )
    return sentences


def _mean(peer, mean, rows, most, verdict):
    details = [f"{interval(mean)}"] if mean.low is not None else []
    details += ["no difference beyond noise"] if verdict == SAME else []
    details += ["too few rounds to tell"] if verdict == UNTOLD else []
    details += [f"{rows} rows"] if rows < most else []
    return f"{peer} {ratio(mean)}" + (f" ({'; '.join(details)})" if details else "")


def _share(value):
    return _more(value) if value > 1 else _less(value)


def _more(value):
    if value < 2:
        return f"{percent(value - 1)} more"
    return f"{value:.1f} times as much" if value < 1000 else "over 1000 times as much"


def _less(value):
    return f"{percent(1 - value)} less" if value >= 0.05 else f"1/{min(1 / value, 1000):.0f} as much"


def _of(some, rows):
    return f"{len(some)} of {len(rows)}"


def _list(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
