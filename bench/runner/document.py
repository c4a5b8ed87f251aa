# SPDX-License-Identifier: MIT
"""report.json: the machine, every figure of every round, and the verdicts, for other tools."""

import datetime
import json
import statistics

from report import files

FORMAT = 2  # raised when a reader of the old form would be misled
# What verdicts_in() takes of a verdict.
VERDICT = ("work", "kind", "limit", "rows", "other", "measured", "result", "sure")


def content(campaign, length, verdicts):
    return {
        "format": FORMAT,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": campaign.context,
        "environment": campaign.environment,
        "noise": campaign.noise.spread(),
        "interrupted": campaign.interrupted,
        "length": length,
        "rounds": campaign.done,
        "allocators": {one.name: str(one.library or "") for one in campaign.allocators},
        "failures": [{"suite": suite, "allocator": name, "message": message}
                     for (suite, name), message in campaign.failures.items()],
        "rows": {row: {name: {"median": statistics.median(figures), "rounds": figures,
                              "disturbed_rounds": campaign.disturbed.get((row, name), 0)}
                       for name, figures in columns.items()}
                 for row, columns in campaign.rows.items()},
        "units": campaign.units,
        "goals": [_goal(verdict) for verdict in verdicts],
        "series": campaign.series,
    }


def _goal(verdict):
    goal = verdict.goal
    return {"work": goal.work, "kind": goal.kind, "limit": goal.limit, "rows": list(goal.rows),
            "unit": goal.unit, "other": goal.other, "measured": verdict.measured, "at": verdict.at,
            "result": verdict.result, "sure": verdict.sure}


def write(path, document):
    files.write(path, json.dumps(document, indent=1) + "\n")


class NoReport(Exception):
    """The file is none of ours, or of another kind of run; the text says why."""


def verdicts_in(path, length):
    """The goals of an earlier report.json, of a run of the same length, by what they are about."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoReport(f"{path}: {error.strerror}") from None
    except ValueError:
        raise NoReport(f"{path} is not JSON") from None
    if not _has(found, ("format", "length", "goals")) or not isinstance(found["goals"], list):
        raise NoReport(f"{path} is not a report.json of scripts/bench")
    if found["format"] != FORMAT:
        raise NoReport(f"{path} is of another version of scripts/bench")
    if not all(_is_verdict(one) for one in found["goals"]):
        raise NoReport(f"{path} has a verdict that is none: {', '.join(VERDICT)}")
    if not found["goals"]:
        raise NoReport(f"{path} has no verdicts")
    if found["length"] != length:
        raise NoReport(f"{path} is of a {found['length']} run, this is a {length} one")
    return {_about(one): one for one in found["goals"]}


def _has(one, keys):
    return isinstance(one, dict) and all(key in one for key in keys)


def _is_verdict(one):
    return (_has(one, VERDICT) and all(isinstance(part, str) for part in _about(one))
            and isinstance(one["measured"], (int, float, type(None))))


def _about(one):
    return one["work"], one["kind"], one["other"]


def disagreements(verdicts, earlier):
    """(how many verdicts both runs are sure of, those that differ as text) against verdicts_in().

    A goal whose limit or rows have changed since is another goal.
    """
    compared, differing = 0, []
    for verdict in verdicts:
        now = _goal(verdict)
        before = earlier.get(_about(now))
        if before is None or before["measured"] is None or verdict.measured is None:
            continue
        if before["limit"] != now["limit"] or before["rows"] != now["rows"]:
            continue
        if not (before["sure"] and verdict.sure):
            continue
        compared += 1
        if before["result"] != verdict.result:
            differing.append(f"{verdict.goal.work}: {before['measured']:.3g}, {before['result']}; "
                             f"now {verdict.measured:.3g}, {verdict.result}")
    return compared, differing
