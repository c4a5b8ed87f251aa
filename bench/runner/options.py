# SPDX-License-Identifier: MIT
"""The command line of scripts/bench."""

import argparse
import pathlib

from runner import allocators, document, suites

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORTS = ROOT / "build" / "bench"
NOT_COMPARED = "pool"  # its programs have the pool inside, whatever is preloaded


def parse(arguments):
    """The options, with `earlier`, `length` and `suites` that follow from them."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    chosen.length = "smoke" if chosen.smoke else "quick" if chosen.quick else "full"
    wanted = chosen.suite or ["all"]
    chosen.suites = [name for name in suites.SUITES if name in wanted or "all" in wanted]
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    if chosen.compare is not None:
        if chosen.allocators is not None or chosen.agrees_with:
            parser.error("--compare chooses the allocators itself and judges no goals")
        if NOT_COMPARED in wanted:
            parser.error(f"--compare: {NOT_COMPARED} has no figures of another revision's library")
        chosen.suites = [name for name in chosen.suites if name != NOT_COMPARED]
    chosen.out = chosen.out or (REPORTS if chosen.compare is None else REPORTS / "compare")
    try:  # before anything is written: it may be the file that this run replaces
        chosen.earlier = chosen.agrees_with and document.verdicts_in(chosen.agrees_with,
                                                                     chosen.length)
    except document.NoReport as error:
        parser.error(f"--agrees-with: {error}")
    return chosen


def _parser():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Runs the benchmark suites under every allocator found, interleaved round by "
        "round, holds Spillway's figures against its goals, and writes report.html and "
        "report.json. Ctrl-C ends it with the rounds done so far.")
    parser.add_argument("--suite", action="append", choices=[*suites.SUITES, "all"],
                        help="may be given several times (default: all)")
    parser.add_argument("--allocators", metavar="A,B,...",
                        help="of " + ", ".join(allocators.KNOWN) + ", or NAME=/path/to/library.so "
                        "(default: each that is found; linked: the programs that "
                        "exist linked with libspillway.a)")
    parser.add_argument("--compare", metavar="REV",
                        help="this tree's Spillway against that of another revision, which is "
                        f"built in build/compare; no goals, and no {NOT_COMPARED}")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help=f"of each suite (default: {_usual_rounds()}; fewer with --quick), but "
                        f"of {_counted()}, which counts: one")
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--quick", action="store_true", help="shorter and less exact")
    how_long.add_argument("--smoke", action="store_true",
                          help="only to see that everything runs; the figures mean nothing")
    parser.add_argument("--out", metavar="DIR", type=pathlib.Path,
                        help="where report.html and report.json go (default: build/bench, with "
                        "--compare build/bench/compare)")
    parser.add_argument("--agrees-with", metavar="FILE", type=pathlib.Path,
                        help="an earlier report.json of the same length: tells which verdicts "
                        "differ from it; exit status 1 if one does, or if none could be compared")
    parser.add_argument("--build-dir", metavar="DIR", type=pathlib.Path,
                        help="use this build as it is (default: bring build/release up to date)")
    return parser


def _usual_rounds():
    return ", ".join(f"{suite.name} {suite.rounds['full']}" for suite in suites.SUITES.values()
                     if not suite.counted)


def _counted():
    return ", ".join(suite.name for suite in suites.SUITES.values() if suite.counted)
