# SPDX-License-Identifier: MIT
"""`spillway profile FILE`: where a program's memory comes from, of a profile that Spillway wrote."""

import collections
import re
import sys
import time

from spillway_cli import arguments as kinds
from spillway_cli import pprof, symbols
from spillway_cli.errors import UserError


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "profile",
        help="which functions allocate, of a heap profile",
        description="Reads a heap profile (option profile_file, or `go tool pprof`'s) and shows the stacks that "
        "hold most, or each as a line for flame graphs. Counts and bytes are estimates from samples.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--cumulative", action="store_true", help="all that was allocated, not what is live at the end"
    )
    parser.add_argument("--blocks", action="store_true", help="by blocks, not by bytes")
    parser.add_argument(
        "--folded", action="store_true",
        help="`outer;inner NUMBER` lines, as flamegraph.pl and speedscope take them",
    )  # fmt: skip
    parser.add_argument(
        "--top", metavar="N", type=kinds.whole_number(1), default=10, help="show N stacks (default: 10)"
    )
    parser.set_defaults(handler=handle)


def handle(arguments):
    profile = pprof.read(arguments.file)
    kind = "alloc" if arguments.cumulative else "inuse"
    wanted, other = f"{kind}_space", f"{kind}_objects"
    if arguments.blocks:
        wanted, other = other, wanted
    if wanted not in profile.types or other not in profile.types:
        raise UserError(f"{arguments.file}: not a heap profile; it has {', '.join(profile.types)}")
    names = symbols.Symbols(profile)
    for file in sorted(names.strange):
        print(f"spillway: {file} is not the file that the process had mapped; no names", file=sys.stderr)
    sums = stacks(profile, names, wanted, other)
    if arguments.folded:
        print_folded(sums)
    else:
        print_top(profile, sums, arguments)
    return 0


def stacks(profile, names, wanted, other):
    """Stacks of functions, outermost first, with the two values, the largest first."""
    leading = re.compile(f"^({profile.drop_frames})$" if profile.drop_frames else r"^\b$")
    sums = collections.Counter()
    others = collections.Counter()
    for sample in profile.samples:
        functions = [name for address in sample.addresses for name in names.names(address)]
        while len(functions) > 1 and leading.match(functions[0]):
            functions.pop(0)
        stack = tuple(reversed(functions)) or ("[unknown]",)
        sums[stack] += sample.values[wanted]
        others[stack] += sample.values[other]
    return [(stack, value, others[stack]) for stack, value in sums.most_common() if value > 0]


def print_folded(sums):
    for stack, value, _ in sums:
        print(";".join(name.replace(";", ":") for name in stack), value)


def print_top(profile, sums, arguments):
    total = sum(value for _, value, _ in sums)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(profile.nanoseconds / 1e9))
    what = "allocated since the start" if arguments.cumulative else "live"
    print(f"{text_of(total, arguments.blocks)} {what} at {when}, by samples every {size(profile.period)}")
    for stack, value, other in sums[: arguments.top]:
        print(
            f"\n{100 * value / total:5.1f}%  {text_of(value, arguments.blocks)} in "
            f"{text_of(other, not arguments.blocks)}"
        )
        for name in reversed(stack):
            print(f"        {name}")
    if len(sums) > arguments.top:
        rest = sum(value for _, value, _ in sums[arguments.top :])
        print(f"\n{100 * rest / total:5.1f}%  in {len(sums) - arguments.top} more stacks (--top N)")


def text_of(value, is_blocks):
    return f"{value} block{'' if value == 1 else 's'}" if is_blocks else size(value)


def size(value):
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return None
