"""report.json: the machine, every figure of every round, and the verdicts, for other tools."""

import datetime
import json
import os
import statistics

FORMAT = 1  # raised when a reader of the old form would be misled


def content(campaign, length, verdicts):
    return {
        "format": FORMAT,
        "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": campaign.context,
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
        "goals": [{"work": v.goal.work, "kind": v.goal.kind, "limit": v.goal.limit,
                   "unit": v.goal.unit, "other": v.goal.other, "measured": v.measured,
                   "at": v.at, "result": v.result, "sure": v.sure} for v in verdicts],
        "series": campaign.series,
    }


def write(path, document):
    """Writes the file whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, path)


class NoReport(Exception):
    """The file is none of ours; the text says why."""


def verdicts_in(path):
    """The goals of an earlier report.json, by what they are about."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {(one["work"], one["kind"], one["other"]): one for one in found["goals"]}
    except OSError as error:
        raise NoReport(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise NoReport(f"{path} is not a report.json of scripts/bench") from None


def disagreements(verdicts, earlier):
    """(how many verdicts both runs are sure of, those that differ as text) against verdicts_in()."""
    compared, differing = 0, []
    for verdict in verdicts:
        before = earlier.get((verdict.goal.work, verdict.goal.kind, verdict.goal.other))
        if before is None or before["measured"] is None or verdict.measured is None:
            continue
        if not (before["sure"] and verdict.sure):
            continue
        compared += 1
        if before["result"] != verdict.result:
            differing.append(f"{verdict.goal.work}: {before['measured']:.3g}, {before['result']}; "
                             f"now {verdict.measured:.3g}, {verdict.result}")
    return compared, differing
