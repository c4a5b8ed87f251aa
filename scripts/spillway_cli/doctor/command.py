# SPDX-License-Identifier: MIT
"""`spillway doctor [-- COMMAND...]`: would Spillway work here, and would it help this command."""

import argparse
import json
import os
import shlex

from spillway_cli import check, own_allocator, paths, process, target
from spillway_cli.arguments import seconds
from spillway_cli.doctor import machine, page, program, results, trial, verdict
from spillway_cli.errors import usage_error
from spillway_cli.run import preload_environment, without_library
from spillway_cli.version import of_library

SECONDS, MAX_SECONDS = 60.0, 500.0  # the second below ab/measure.py's own limit
STATUS = """\
marks: ok; note: it works, but know this; problem: Spillway does not serve the
program, or changes what it does. What follows `->` is what to do.

exit status: 0 without a problem, also when Spillway makes no difference; 1 with
a problem; 2 for a wrong command line; 126 or 127 when COMMAND can't be
executed, or was not found.
"""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "doctor",
        help="would Spillway work here, and would it help a command",
        usage="spillway doctor [options] [-- COMMAND...]",
        description="Looks at this machine and, with COMMAND, at the program. Runs it without and\n"
        "with Spillway, its input empty, its output thrown away. Says how much of its\n"
        "memory Spillway would serve.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--seconds", type=seconds, default=SECONDS, metavar="N",
        help=f"end each run after N seconds, as a server's ({SECONDS:.0f})",
    )  # fmt: skip
    runs = parser.add_mutually_exclusive_group()
    runs.add_argument("--once", action="store_true", help="run COMMAND with Spillway only")
    runs.add_argument("--no-run", action="store_true", help="do not run COMMAND")
    parser.add_argument("--lib", metavar="PATH", help="another libspillway.so than the built one")
    parser.set_defaults(handler=handle, takes_command=True)


def handle(arguments):
    command = arguments.command
    if not command and (arguments.once or arguments.no_run):
        raise usage_error("doctor: --once and --no-run need a command: spillway doctor [options] -- COMMAND...")
    if arguments.seconds > MAX_SECONDS:
        raise usage_error(f"doctor: --seconds is at most {MAX_SECONDS:.0f}")
    path = target.resolve(command) if command else None
    library = paths.library(arguments.lib)
    report = Report(is_json=arguments.json)
    report.add("machine", machine.findings(_machine(library)))
    if command:
        report.add("program", program.findings(path, library))
        if not arguments.no_run and report.has_no_problem():
            _try(report, arguments, path, library)
    return report.end()


def _machine(library):
    complaint = check.probe(library)
    preloaded = process.preload_list({"LD_PRELOAD": os.environ.get("LD_PRELOAD", "")})
    return machine.read(
        library, of_library(library), complaint,
        None if complaint else check.complaint(library, {}),
        [name for name in preloaded if not check.is_spillway(name)],
    )  # fmt: skip


def _try(report, arguments, path, library):
    plain = os.environ.get("LD_PRELOAD") and without_library(os.environ, library).get("LD_PRELOAD")
    own = own_allocator.find(target.program(path))
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


class Report:
    """Printed as it grows, or at its end as JSON."""

    def __init__(self, is_json):
        self._is_json = is_json
        self._columns = page.width()
        self._sections = {}
        self._heap = self._requests = self._verdict = None

    def add(self, title, findings):
        self._sections[title] = findings
        self._print(page.section(title, findings, self._columns))

    def add_requests(self, heap, requests):
        self._heap, self._requests = heap, requests
        self._print(page.table(requests))

    def conclude(self, found):
        """Not where there is a problem: that is the answer then."""
        if self.has_no_problem():
            self._verdict = found
            self._print(page.conclusion(found, self._columns))

    def has_no_problem(self):
        return all(one.mark != "problem" for findings in self._sections.values() for one in findings)

    def end(self):
        status = 0 if self.has_no_problem() else 1
        if self._is_json:
            found = page.as_json(self._sections, self._requests, self._heap, self._verdict, status)
            print(json.dumps(found, indent=2))
        return status

    def _print(self, lines):
        if not self._is_json:
            print("\n".join(lines), flush=True)
