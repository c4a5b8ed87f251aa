"""The command scripts/bench."""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys

from runner import allocators, goals, suites, table, verdicts
from runner.rounds import Campaign

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Runs the benchmark suites under every allocator found, interleaved round by "
        "round, and holds Spillway's figures against its goals.")
    parser.add_argument("--suite", action="append", choices=[*suites.SUITES, "all"],
                        help="may be given several times (default: all)")
    parser.add_argument("--allocators", metavar="A,B,...",
                        help="of " + ", ".join(allocators.DEFAULT) + ", or NAME=/path/to/library.so "
                        "(default: each that is found)")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help=f"default {suites.FULL.rounds}, for calls {suites.FULL.calls_rounds}, for memory "
                        f"{suites.FULL.memory_rounds}; with --quick {suites.QUICK.rounds}, "
                        f"{suites.QUICK.calls_rounds} and {suites.QUICK.memory_rounds}")
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--quick", action="store_true", help="shorter and less exact")
    how_long.add_argument("--smoke", action="store_true",
                          help="only to see that everything runs; the figures mean nothing")
    parser.add_argument("--json", metavar="FILE", help="also write all figures to FILE")
    parser.add_argument("--build-dir", metavar="DIR", type=pathlib.Path,
                        help="use this build as it is (default: bring build/release up to date)")
    chosen = parser.parse_args(arguments)
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    return chosen


def build_directory(given):
    """The build's directory, absolute; None if it could not be had."""
    if given is None:
        build = [ROOT / "scripts" / "build", "release", "all", "bare_mimalloc"]
        done = subprocess.run(build, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            print("bench: the build failed (see above)", file=sys.stderr)
            return None
    build = (given or RELEASE).resolve()
    for program in (one for suite in suites.SUITES for one in suites.programs_of(suite)):
        if not (build / "bench" / program).is_file():
            print(f"bench: {build} has no bench/{program}", file=sys.stderr)
            return None
    return build


def print_report(campaign, chosen, found, left_out, length):
    context = campaign.context
    print(f"{context.get('cpu', 'unknown processor')}, {context.get('cores', '?')} cores, "
          f"{context.get('memory_mib', '?')} MiB, Linux {context.get('kernel', '?')}")
    rounds = ", ".join(f"{suites.rounds_of(suite, length)} of {suite}" for suite in chosen)
    print(f"huge pages {context.get('thp', '?')}; load {context.get('load', '?')}")
    print(f"rounds: {rounds}")
    for line in left_out:
        print(f"left out: {line}")
    for (suite, name), message in campaign.failures.items():
        print(f"FAILED: {name}, {suite}: {message}")
    units = {"calls": "calls: ns of processor time per malloc+free",
             "threads": "threads: ns per operation, by the clock on the wall",
             "startup": "start-up of /bin/true",
             "memory": "memory in use, and what its use costs",
             "pool": "pool: ns per buffer or slot; of several threads, by the clock on the wall"}
    for suite in chosen:
        rows = {row: columns for row, columns in campaign.rows.items() if suites.suite_of(row) == suite}
        names = [one.name for one in found if any(one.name in c for c in rows.values())]
        if not names:
            continue
        print(f"\n{units[suite]}")
        if suite == "pool":
            lines = table.against_table(rows, goals.SUBJECT, campaign.disturbed, campaign.units,
                                        goals.BASES)
        else:
            lines = table.rows_table(rows, names, campaign.disturbed, campaign.units)
        print("\n".join(lines).rstrip())
    if campaign.disturbed:
        print("* other programs took a core too often; of threads, the least disturbed "
              "repetitions count")
    results = verdicts.judge_all(goals_of(chosen), campaign.figures())
    print()
    print("\n".join(table.goals_table(results)))
    if not all(verdict.sure for verdict in results):
        print("? the rounds, each by itself, do not agree on it, or most were disturbed (*)")
    return results


def goals_of(chosen):
    """The goals that the chosen suites can decide; those decided elsewhere are named in a full run."""
    return [goal for goal in goals.GOALS
            if all(suites.suite_of(row) in chosen for row in goal.rows)
            and (goal.rows or len(chosen) == len(suites.SUITES))]


def unknown_rows(campaign, chosen):
    """Rows that a goal names and no benchmark has: an error in the goals, not in an allocator."""
    ran = [suite for suite in chosen
           if any(suites.wanted(suite, one) for one in campaign.allocators)]
    return sorted({row for goal in goals_of(ran) for row in goal.rows} - set(campaign.rows))


def write_json(path, campaign, results, length):
    document = {
        "machine": campaign.context,
        "length": dataclasses.asdict(length),
        "allocators": {one.name: str(one.library or "") for one in campaign.allocators},
        "failures": [{"suite": s, "allocator": a, "message": m}
                     for (s, a), m in campaign.failures.items()],
        "rows": {row: {name: {"median": statistics.median(figures), "rounds": figures,
                              "disturbed_rounds": campaign.disturbed.get((row, name), 0)}
                       for name, figures in columns.items()}
                 for row, columns in campaign.rows.items()},
        "goals": [{"work": v.goal.work, "kind": v.goal.kind, "limit": v.goal.limit,
                   "unit": v.goal.unit, "other": v.goal.other, "measured": v.measured,
                   "at": v.at, "result": v.result, "sure": v.sure} for v in results],
        "ms_and_rss_kib": campaign.series,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def main(arguments=None):
    options = parse(arguments)
    length = suites.SMOKE if options.smoke else suites.QUICK if options.quick else suites.FULL
    if options.rounds:
        length = dataclasses.replace(length, rounds=options.rounds, calls_rounds=options.rounds,
                                     memory_rounds=options.rounds)
    chosen = options.suite or ["all"]
    chosen = [suite for suite in suites.SUITES if suite in chosen or "all" in chosen]
    build = build_directory(options.build_dir)
    if build is None:
        return 1
    names = options.allocators.split(",") if options.allocators else None
    try:
        found, left_out = allocators.find(names, build)
    except allocators.BadAllocator as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    campaign = Campaign(found)
    campaign.run(chosen, build / "bench", length)
    results = print_report(campaign, chosen, found, left_out, length)
    if options.json:
        write_json(pathlib.Path(options.json), campaign, results, length)
    unknown = unknown_rows(campaign, chosen)
    if unknown and not campaign.failures:
        print(f"bench: a goal names rows that no benchmark has: {', '.join(unknown)}",
              file=sys.stderr)
    return 1 if campaign.failures or unknown else 0
