# SPDX-License-Identifier: MIT
"""`spillway doctor [-- COMMAND...]`: would Spillway work here, and would it help this command."""

import argparse
import os
import shlex

from spillway_cli import check, paths, process, target
from spillway_cli.arguments import command_parser, seconds_up_to
from spillway_cli.doctor import machine, program, results, trial, verdict
from spillway_cli.doctor.report import Report
from spillway_cli.errors import usage_error
from spillway_cli.run import preload_environment, without_library
from spillway_cli.version import of_library

from harness import interrupts

SECONDS, MAX_SECONDS = 60, 500  # the second below ab/measure.py's own limit
STATUS = """\
marks: ok; note: it works, but know this; problem: Spillway does not serve the
program, or changes what it does. What follows `->` is what to do.

exit status:
  0    no problem, also when Spillway makes no difference
  1    a problem
  2    a wrong command line
  126  COMMAND can't be executed
  127  COMMAND was not found
"""


def add_parser(subparsers):
    parser = command_parser(
        subparsers, "doctor", handle, "[options] [-- COMMAND...]",
        help="would Spillway work here, and would it help a command",
        description="Looks at this machine and, with COMMAND, at the program. Runs it without\n"
        "and with Spillway, its input empty, its output thrown away. Says how much of\n"
        "its memory Spillway would serve.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--seconds", type=seconds_up_to(MAX_SECONDS), default=SECONDS, metavar="N",
        help=f"end each run after N seconds, as a server's ({SECONDS})",
    )  # fmt: skip
    runs = parser.add_mutually_exclusive_group()
    runs.add_argument("--once", action="store_true", help="run COMMAND with Spillway only")
    runs.add_argument("--no-run", action="store_true", help="do not run COMMAND")
    paths.add_option(parser)


def handle(arguments):
    command = arguments.command
    if not command and (arguments.once or arguments.no_run):
        raise usage_error("doctor: --once and --no-run need a command: spillway doctor [options] -- COMMAND...")
    interrupts.like_ctrl_c()
    path = target.resolve(command) if command else None
    library = paths.library(arguments.lib)
    report = Report(is_json=arguments.json)
    report.add("machine", machine.findings(_machine(library)))
    if command:
        found, own = program.look(path, library)
        report.add("program", found)
        if not arguments.no_run and report.has_no_problem():
            _try(report, arguments, library, own)
    return report.end()


def _machine(library):
    complaint, said = check.probed(library)
    preloaded = process.preload_list({"LD_PRELOAD": os.environ.get("LD_PRELOAD", "")})
    return machine.read(
        library, of_library(library), complaint,
        None if complaint else said,
        [name for name in preloaded if not check.is_spillway(name)],
    )  # fmt: skip


def _try(report, arguments, library, own):
    plain = os.environ.get("LD_PRELOAD") and without_library(os.environ, library).get("LD_PRELOAD")
    is_linked = own is not None and own.is_spillway
    preload = plain or ""
    first = None if arguments.once else trial.run_plain(arguments.command, preload, arguments.seconds)
    if not is_linked:
        preload = preload_environment(os.environ, library)["LD_PRELOAD"]
    run, heaps, strangers = trial.run_with(arguments.command, preload, arguments.seconds)
    heap = verdict.busiest(heaps)
    report.add("run", results.findings(first, run, heaps, heap, strangers))
    words = shlex.join(arguments.command)
    if heap is None:
        report.conclude(verdict.unknown(words))
        return
    requests = verdict.Requests.of(heap)
    report.add_requests(heap, requests)
    report.conclude(verdict.judge(requests, (first or run).sample.cpu, words))
