"""The command scripts/bench."""

import argparse
import pathlib
import subprocess
import sys
import textwrap

from report import page as html
from report import words
from runner import allocators, compare, document, goals, page, suites, table, text, verdicts
from runner.rounds import Campaign

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"
REPORTS = ROOT / "build" / "bench"
FEWEST_TO_COMPARE = 7  # rounds of each suite: fewer leave intervals too wide to tell 5 %


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Runs the benchmark suites under every allocator found, interleaved round by "
        "round, holds Spillway's figures against its goals, and writes report.html and report.json. "
        "Ctrl-C ends it with the rounds done so far.")
    parser.add_argument("--suite", action="append", choices=[*suites.SUITES, "all"],
                        help="may be given several times (default: all)")
    parser.add_argument("--allocators", metavar="A,B,...",
                        help="of " + ", ".join(allocators.KNOWN) + ", or NAME=/path/to/library.so "
                        "(default: each that is found; linked: the programs that "
                        "exist linked with libspillway.a)")
    parser.add_argument("--compare", metavar="REV",
                        help="this tree's Spillway against that of another revision, which is built "
                        "in build/compare; no goals")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="of each suite (default: " + ", ".join(
                            f"{suite.name} {suite.rounds['full']}" for suite in suites.SUITES.values())
                        + "; fewer with --quick)")
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--quick", action="store_true", help="shorter and less exact")
    how_long.add_argument("--smoke", action="store_true",
                          help="only to see that everything runs; the figures mean nothing")
    parser.add_argument("--out", metavar="DIR", type=pathlib.Path, default=REPORTS,
                        help="where report.html and report.json go (default: build/bench)")
    parser.add_argument("--agrees-with", metavar="FILE", type=pathlib.Path,
                        help="an earlier report.json: tells which verdicts differ from it; exit "
                        "status 1 if one does")
    parser.add_argument("--build-dir", metavar="DIR", type=pathlib.Path,
                        help="use this build as it is (default: bring build/release up to date)")
    chosen = parser.parse_args(arguments)
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    if chosen.compare and (chosen.allocators or chosen.agrees_with):
        parser.error("--compare chooses the allocators itself and judges no goals")
    try:  # before anything is written: it may be the file that this run replaces
        chosen.earlier = chosen.agrees_with and document.verdicts_in(chosen.agrees_with)
    except document.NoReport as error:
        parser.error(f"--agrees-with: {error}")
    chosen.length = "smoke" if chosen.smoke else "quick" if chosen.quick else "full"
    wanted = chosen.suite or ["all"]
    chosen.suites = [name for name in suites.SUITES if name in wanted or "all" in wanted]
    return chosen


def build_directory(given, wanted):
    """The build's directory, absolute; None if it could not be had."""
    if given is None:
        done = subprocess.run([ROOT / "scripts" / "setup", "ab"], stdout=sys.stderr, check=False)
        if done.returncode != 0:
            print("bench: goes on without what is missing", file=sys.stderr)
        build = [ROOT / "scripts" / "build", "release", "all", "bare_mimalloc"]
        done = subprocess.run(build, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            print("bench: the build failed (see above)", file=sys.stderr)
            return None
    build = (given or RELEASE).resolve()
    for program in (one for suite in wanted for one in suites.SUITES[suite].programs):
        if not (build / "bench" / program).is_file():
            print(f"bench: {build} has no bench/{program}", file=sys.stderr)
            return None
    return build


def goals_of(chosen):
    """The goals that the chosen suites can decide; those decided elsewhere are named in a full run."""
    def decided(row):
        suite = suites.suite_of(row)
        return suite is not None and suite.name in chosen

    return [goal for goal in goals.GOALS
            if all(map(decided, goal.rows)) and (goal.rows or len(chosen) == len(suites.SUITES))]


def unknown_rows(campaign, chosen):
    """Rows that a goal names and no benchmark has: an error in the goals, not in an allocator."""
    ran = [suite for suite in chosen if campaign.done.get(suite)
           and any(suites.SUITES[suite].wanted(one) for one in campaign.allocators)]
    return sorted({row for goal in goals_of(ran) for row in goal.rows} - set(campaign.rows))


def compared(options, build):
    """Runs this tree's library and another revision's; the exit status."""
    try:
        other = compare.build(options.compare)
    except compare.NoRevision as error:
        print(f"bench: --compare: {error}", file=sys.stderr)
        return 2
    now, _ = allocators.find([goals.SUBJECT], build)
    campaign = Campaign([other, *now], options.rounds or (
        FEWEST_TO_COMPARE if options.length == "full" else None))
    campaign.run([suite for suite in options.suites if suite != "pool"], build / "bench",
                 options.length)
    print("\n".join(text.heading(campaign, campaign.done, []) + [""] + compare.rows(campaign, other.name)))
    print("\ninstructions of the fast paths")
    print("\n".join(compare.instructions(other, build)))
    write_reports(options, campaign, [], [],
                  f"Spillway: this checkout against {options.compare}")
    return 130 if campaign.interrupted else 1 if campaign.failures else 0


def write_reports(options, campaign, left_out, results, title):
    options.out.mkdir(parents=True, exist_ok=True)
    document.write(options.out / "report.json", document.content(campaign, options.length, results))
    shown = page.content(campaign, list(campaign.done), left_out, results, goals.SUBJECT, title)
    html.write(options.out / "report.html", shown)
    print()
    for sentence in words.summary(shown):
        print(textwrap.fill(sentence, table.WIDTH, initial_indent="- ", subsequent_indent="  "))
    print(f"\nreport: {options.out / 'report.html'}\nfigures: {options.out / 'report.json'}")


def main(arguments=None):
    options = parse(arguments)
    build = build_directory(options.build_dir, options.suites)
    if build is None:
        return 1
    if options.compare:
        return compared(options, build)
    try:
        names = options.allocators.split(",") if options.allocators else None
        found, left_out = allocators.find(names, build)
    except allocators.BadAllocator as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    campaign = Campaign(found, options.rounds)
    campaign.run(options.suites, build / "bench", options.length)
    results = verdicts.judge_all(goals_of(list(campaign.done)), campaign.figures())
    print(text.report(campaign, list(campaign.done), left_out, results))
    write_reports(options, campaign, left_out, results, "Spillway: benchmarks")
    status = 1 if campaign.failures else 0
    unknown = unknown_rows(campaign, options.suites)
    if unknown and not campaign.failures:
        print(f"bench: a goal names rows that no benchmark has: {', '.join(unknown)}", file=sys.stderr)
        status = 1
    if options.earlier is not None:
        count, differing = document.disagreements(results, options.earlier)
        print(f"{count - len(differing)} of {count} verdicts that both runs are sure of agree")
        for line in differing:
            print(f"  {line}")
        status = status or int(bool(differing))
    return 130 if campaign.interrupted else status
