# SPDX-License-Identifier: MIT
"""`spillway top`: arguments, one page, one object for each interval, or the screen."""

import json
import shutil
import sys
import time

from spillway_cli.arguments import seconds, whole_number
from spillway_cli.attach.choose import choose
from spillway_cli.errors import usage_error
from spillway_cli.figures import record
from spillway_cli.figures.rates import Change
from spillway_cli.figures.source import LiveSource
from spillway_cli.top import columns, page, screen
from spillway_cli.top.state import State

NARROWEST = 80  # cells of a page that goes to no terminal


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "top",
        help="watch a process under Spillway: memory, rates of each size class",
        description="Shows a page about a running process and brings it up to date until q is pressed "
        "(h: help). Exit status 0, or 1 when the process ended before.",
    )
    parser.add_argument("process", metavar="PID|NAME", help="a process, or the name of the only one")
    parser.add_argument(
        "-i", "--interval", type=seconds, default=1.0, metavar="SECONDS", help="between readings (1)"
    )
    parser.add_argument(
        "--sort", choices=[column.name for column in columns.COLUMNS], default=columns.DEFAULT,
        metavar="COLUMN", help=f"{', '.join(column.name for column in columns.COLUMNS)} ({columns.DEFAULT})",
    )  # fmt: skip
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="one page as text, from two readings")
    how.add_argument("--json", action="store_true", help="a line for each interval: the statistics and their rates")
    parser.add_argument(
        "--count", type=whole_number(1), metavar="N", help="with --json: so many lines (no end)"
    )
    parser.set_defaults(handler=handle)


def handle(arguments):
    if arguments.count is not None and not arguments.json:
        raise usage_error("top: --count goes with --json")
    if not (arguments.once or arguments.json):
        screen.check_terminal()
    state = State(interval=arguments.interval, sort=arguments.sort, reverse=arguments.reverse)
    source = LiveSource(choose(arguments.process))
    if arguments.json:
        return print_records(source, state.interval, arguments.count)
    if arguments.once:
        return print_page(source, state)
    return screen.show(source, state)


def changes(source, interval):
    """A Change for each interval from now on."""
    last = source.read()
    due = time.monotonic()
    while True:
        due += interval  # a slow reading is made up for by a shorter sleep
        time.sleep(max(0.0, due - time.monotonic()))
        change = Change(last, source.read())
        last = change.later
        yield change


def print_records(source, interval, count):
    for number, change in enumerate(changes(source, interval), 1):
        print(json.dumps(record.of_change(change)), flush=True)
        if number == count:
            return 0
    return 0


def print_page(source, state):
    width = NARROWEST
    if sys.stdout.isatty():
        width = max(width, shutil.get_terminal_size().columns)
    change = next(changes(source, state.interval))
    print(page.plain(page.once(state, change, width)))
    return 0
