# SPDX-License-Identifier: MIT
"""The command scripts/bench."""

import pathlib
import subprocess
import sys
import textwrap

from harness import interrupts
from report import files, noise, words
from report import page as html
from runner import allocators, compare, document, goals, page, suites, table, text, verdicts
from runner.options import parse
from runner.rounds import Campaign

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"
MIN_ROUNDS_TO_COMPARE = 7  # rounds of a suite at least: fewer leave intervals too wide to tell 5 %


class NoBuild(Exception):
    """There is none, or it lacks a program; the text says which."""


def build_directory(given):
    """The build's directory, absolute."""
    if given is not None:
        return given.resolve()
    done = subprocess.run([ROOT / "scripts" / "setup", "ab"], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        print("bench: goes on without what is missing", file=sys.stderr)
    build = [ROOT / "scripts" / "build", "release", "all", "benchmarks", "bare_mimalloc"]
    done = subprocess.run(build, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise NoBuild("the build failed (see above)")
    return RELEASE


def check_programs(build, chosen, found):
    for suite in (suites.SUITES[name] for name in chosen):
        for one in found:
            for name in suite.programs if suite.takes(one) else ():
                program = one.program(build / "bench", name)
                if not program.is_file():
                    raise NoBuild(f"{build} has no bench/{program.name}")


def goals_of(chosen):
    """The goals that the chosen suites can decide; those decided elsewhere are named in a full run."""
    def decided(row):
        suite = suites.suite_of(row)
        return suite is not None and suite.name in chosen

    return [goal for goal in goals.GOALS
            if all(map(decided, goal.rows)) and (goal.rows or len(chosen) == len(suites.SUITES))]


def unknown_rows(campaign, chosen, length):
    """Rows that a goal names and no benchmark has: an error in the goals, not in an allocator.

    Of a quick run none: it leaves some out.
    """
    if length == "quick":
        return []
    ran = [suite for suite in chosen if campaign.done.get(suite)
           and any(suites.SUITES[suite].wanted(one) for one in campaign.allocators)]
    return sorted({row for goal in goals_of(ran) for row in goal.rows} - set(campaign.rows))


def compared(options, build):
    """Runs this tree's library and another revision's; the exit status."""
    now, _ = allocators.find([goals.SUBJECT], build)
    check_programs(build, options.suites, now)
    other = compare.build(options.compare)
    campaign = Campaign([other, *now], options.rounds,
                        MIN_ROUNDS_TO_COMPARE if options.length == "full" else 0)
    campaign.run(options.suites, build / "bench", options.length)
    save(options, campaign, [])
    print("\n".join(text.heading(campaign, campaign.done, [])))
    print("\n".join(["", "instructions of the fast paths", *compare.instructions(other, build)]))
    print("\n".join(["", *compare.rows(campaign, other.name)]))
    write_page(options, campaign, [], [], f"Spillway: this checkout against {options.compare}")
    return status_of(campaign)


def benchmarked(options, build):
    """Runs the allocators and judges the goals; the exit status."""
    names = None if options.allocators is None else options.allocators.split(",")
    found, left_out = allocators.find(names, build)
    check_programs(build, options.suites, found)
    campaign = Campaign(found, options.rounds)
    campaign.run(options.suites, build / "bench", options.length)
    save(options, campaign, [])
    results = verdicts.judge_all(goals_of(list(campaign.done)), campaign.figures(),
                                 noise.min_difference(campaign.noise.spread()))
    save(options, campaign, results)
    print(text.report(campaign, list(campaign.done), left_out, results))
    write_page(options, campaign, left_out, results, "Spillway: benchmarks")
    status = status_of(campaign)
    unknown = unknown_rows(campaign, options.suites, options.length)
    if unknown and not campaign.failures:
        complain(f"a goal names rows that no benchmark has: {', '.join(unknown)}")
        status = status or 1
    if options.earlier is not None and not agreement(results, options.earlier):
        status = status or 1
    return status


def status_of(campaign):
    return 130 if campaign.interrupted else 1 if campaign.failures else 0


def agreement(results, earlier):
    """Prints how far the verdicts agree; whether all do, and there are some."""
    count, differing = document.disagreements(results, earlier)
    print(f"{count - len(differing)} of {count} verdicts that both runs are sure of agree")
    for line in differing:
        print(f"  {line}")
    return bool(count) and not differing


def save(options, campaign, results):
    """The figures first: to judge and to show them takes a while, and can still fail."""
    document.write(options.out / "report.json", document.content(campaign, options.length, results))


def write_page(options, campaign, left_out, results, title):
    shown = page.content(campaign, list(campaign.done), left_out, results, goals.SUBJECT, title)
    html.write(options.out / "report.html", shown)
    print()
    for sentence in words.summary(shown):
        print(textwrap.fill(sentence, table.WIDTH, initial_indent="- ", subsequent_indent="  "))
    print(f"\nreport: {options.out / 'report.html'}\nfigures: {options.out / 'report.json'}")


def run(options):
    """The exit status."""
    try:
        files.prepare(options.out)
    except OSError as error:
        return complain(f"--out: {options.out}: {error.strerror}")
    try:
        build = build_directory(options.build_dir)
        return benchmarked(options, build) if options.compare is None else compared(options, build)
    except NoBuild as error:
        return complain(str(error), 1 if options.build_dir is None else 2)
    except allocators.BadAllocator as error:
        return complain(str(error))
    except compare.NoRevision as error:
        return complain(f"--compare: {error}")
    except OSError as error:  # such as a full disk
        where = "" if error.filename is None else f"{error.filename}: "
        return complain(f"{where}{error.strerror or error}", 1)
    except ImportError as error:
        return complain(f"intervals and report.html take Debian's package python3-numpy ({error}); "
                        f"the figures are in {options.out / 'report.json'}", 1)


def complain(message, status=2):
    print(f"bench: {message}", file=sys.stderr)
    return status


def main(arguments=None):
    options = parse(arguments)
    interrupts.like_ctrl_c()
    try:
        return run(options)
    except KeyboardInterrupt:
        return complain("interrupted", 130)
