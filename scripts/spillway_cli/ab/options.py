# SPDX-License-Identifier: MIT
"""The command line of `spillway ab`."""

import argparse
import pathlib
import re

from spillway_cli import allocators
from spillway_cli.ab.metric import metric
from spillway_cli.arguments import whole_number
from spillway_cli.errors import usage_error

ROUNDS = 7
QUICK_ROUNDS, QUICK_PERCENT = 5, 25
# Those of a command of the user's, by the names that argparse gives them.
OF_A_COMMAND = ("prepare", "input", "metric", "server", "ready", "load")
OF_A_RUN = ("allocators", "programs", "runs", "quick", "warmup", "out", *OF_A_COMMAND)


def add(parser):
    allocators.add_option(parser)
    parser.add_argument("--programs", metavar="P,Q,...", help="only these of the built-in programs")
    parser.add_argument("--runs", type=whole_number(1), metavar="N", help=f"measured rounds ({ROUNDS})")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_ROUNDS} rounds, the built-in programs at {QUICK_PERCENT} %% of their work",
    )
    parser.add_argument(
        "--warmup", type=whole_number(0), metavar="N",
        help="N runs of each allocator before the measured ones, beside the one that checks it; with "
        "--server, N loads before the measured one (0)",
    )  # fmt: skip
    parser.add_argument(
        "--prepare", metavar="CMD",
        help="run CMD by sh before each run, untimed, without the allocator; what it leaves running is ended",
    )  # fmt: skip
    parser.add_argument(
        "--input", metavar="FILE", type=pathlib.Path, help="the input of each run, from its start (empty)"
    )
    parser.add_argument(
        "--metric", metavar="NAME=REGEX[:lower|higher]", type=metric, action="append",
        help="a figure of your own: the number in the group of REGEX's last match in the output. "
        "Less is better; with `higher`, more. May be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--server", metavar="CMD",
        help="measure the server CMD under the load that COMMAND, or --load, puts on it; only the server "
        "runs under the allocators",
    )  # fmt: skip
    parser.add_argument(
        "--ready", metavar="PATTERN|PORT", type=_ready,
        help="the server is ready when its output matches PATTERN, or PORT of this machine answers",
    )  # fmt: skip
    parser.add_argument(
        "--load", metavar="CMD",
        help="COMMAND as one word, with --server. What a load starts by setsid and leaves running counts as "
        "the server's",
    )  # fmt: skip
    parser.add_argument(
        "--compare", metavar=("OLD", "NEW"), nargs=2, type=pathlib.Path,
        help="measure nothing; print the differences beyond noise between two reports, each a folder or "
        "a file of it",
    )  # fmt: skip
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown, that of report.md; all else goes to stderr"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=pathlib.Path,
        help="where report.html, report.md, report.json, inputs and logs go (build/ab, or "
        "~/.cache/spillway/ab where the checkout can't be written)",
    )  # fmt: skip


def check_comparison(arguments):
    """That nothing is asked for which --compare does not do."""
    values = {name: getattr(arguments, name) for name in OF_A_RUN}
    given = [f"--{name}" for name, value in values.items() if value is not None and value is not False]
    if arguments.command or given:
        raise usage_error(f"ab: --compare measures nothing: leave out {', '.join(given) or 'the command'}")


def rounds(arguments):
    return arguments.runs or (QUICK_ROUNDS if arguments.quick else ROUNDS)


def percent(arguments):
    return QUICK_PERCENT if arguments.quick else 100


def _ready(text):
    """A type for argparse: a port or a pattern."""
    if text.isdecimal():
        if not 1 <= int(text) <= 65535:
            raise argparse.ArgumentTypeError(f"'{text}' is not a port from 1 to 65535")
        return int(text)
    try:
        re.compile(text.encode(), re.MULTILINE)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {error}") from None
    return text
