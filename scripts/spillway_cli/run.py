# SPDX-License-Identifier: MIT
"""`spillway run`: becomes the command, with the library preloaded, and sees that it really is."""

import os
import signal
import sys

from spillway_cli import own_allocator, paths, target, watch
from spillway_cli.arguments import command_parser, require_command
from spillway_cli.errors import usage_error

FORMATS = ("text", "json", "prometheus")


def add_parser(subparsers):
    parser = command_parser(
        subparsers, "run", handle,
        help="run a command under Spillway",
        description="Runs COMMAND with libspillway.so preloaded; the exit status is COMMAND's own.",
    )  # fmt: skip
    parser.add_argument(
        "--stats", nargs="?", const="text", choices=FORMATS, help="statistics at exit (text)"
    )
    parser.add_argument(
        "--conf",
        action="append",
        default=[],
        metavar="NAME:VALUE,...",
        help="options of the library; `spillway options` lists them",
    )
    paths.add_option(parser)
    parser.add_argument(
        "--insist", action="store_true",
        help="preload the library into a program that brings its own allocator, too",
    )  # fmt: skip


def preload_environment(variables, library, conf=(), stats=None):
    """A copy of `variables` with the library first in LD_PRELOAD and the options appended."""
    result = dict(variables)
    others = result.get("LD_PRELOAD", "").replace(":", " ").split()
    result["LD_PRELOAD"] = ":".join([str(library)] + [o for o in others if o != str(library)])
    entries = [result.get("SPILLWAY_CONF", "")] + list(conf)
    entries = ",".join(entry for entry in entries if entry)
    if entries:
        result["SPILLWAY_CONF"] = entries
    if stats is not None:
        result["SPILLWAY_STATS"] = stats
    return result


def without_library(variables, library):
    """A copy of `variables` without the library in LD_PRELOAD."""
    result = dict(variables)
    others = result.pop("LD_PRELOAD", "").replace(":", " ").split()
    others = ":".join(other for other in others if other != str(library))
    return {**result, "LD_PRELOAD": others} if others else result


def become(path, command, variables):
    """This process becomes the command. Returns its status, 126, only when that is impossible."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would the command
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(path, command, variables)
    except OSError as error:
        print(f"spillway: {path}: {error.strerror}", file=sys.stderr)
    return 126


def handle(arguments):
    require_command(arguments)
    for entry in ",".join(arguments.conf).split(","):
        if entry and ":" not in entry:
            hint = f"; write {entry.replace('=', ':', 1)}" if "=" in entry else ""
            raise usage_error(f"run: --conf takes NAME:VALUE,...; '{entry}' has no colon{hint}")
    path = target.resolve(arguments.command)
    library = paths.library(arguments.lib)
    variables = preload_environment(os.environ, library, arguments.conf, arguments.stats)
    obstacle = target.obstacle(path, library)
    own = own_allocator.beside(path, obstacle)
    if own is not None and (own.is_spillway or not arguments.insist):
        print(f"spillway: {aside(path, own)}", file=sys.stderr)
        return become(path, arguments.command, without_library(variables, library))
    if obstacle is None:
        watch.start(library)
    else:
        runs = "runs"
        if obstacle.harms:
            runs = "runs, with all that it starts,"
            variables = without_library(variables, library)
        print(f"spillway: warning: {runs} without Spillway: {obstacle.reason}", file=sys.stderr)
    return become(path, arguments.command, variables)


def aside(path, own):
    """What is said of a program that brings its own allocator."""
    name = os.path.basename(path)
    if own.is_spillway:
        return f"{name} is linked with {own.text()}: nothing is preloaded"
    said = f"{name} brings {own.text()}: runs without Spillway"
    return said if own.in_program else f"{said}; --insist preloads it"
