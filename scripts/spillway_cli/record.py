# SPDX-License-Identifier: MIT
"""`spillway record`: runs a command with the recorder preloaded and packs what it wrote into a trace."""

import os
import pathlib
import signal
import tempfile

from spillway_cli import allocators, check, packing, paths, target, tools
from spillway_cli.arguments import command_parser, require_command, whole_number
from spillway_cli.errors import UserError, usage_error
from spillway_cli.run import become, preload_environment

from harness import interrupts

EVENTS = 1_000_000
MAX_EVENTS = 1 << 25  # a trace's own limit
TARGETS = ("librecord", "bench_trace")


def add_parser(subparsers):
    parser = command_parser(
        subparsers, "record", handle,
        help="record a command's allocator calls as a trace",
        description="Runs COMMAND and writes its calls of malloc and its kin to a trace, for "
        "`spillway replay`. The exit status is COMMAND's own.",
    )  # fmt: skip
    parser.add_argument(
        "-o", dest="output", metavar="FILE", help="the trace (default: COMMAND's name and .trace)"
    )
    parser.add_argument(
        "--allocator", metavar="NAME|PATH", default=allocators.BASELINE,
        help="the allocator that serves COMMAND (glibc)",
    )  # fmt: skip
    parser.add_argument(
        "--events", type=whole_number(1, MAX_EVENTS), default=EVENTS, metavar="N",
        help=f"the recording ends after N events; COMMAND goes on ({EVENTS})",
    )  # fmt: skip
    parser.add_argument(
        "--skip", type=whole_number(0, MAX_EVENTS), default=0, metavar="N",
        help="leave out the first N events",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--program", metavar="NAME",
        help="record the process of this name that COMMAND starts; of several the one with most events",
    )  # fmt: skip
    which.add_argument(
        "--children", action="store_true",
        help="also record all processes that COMMAND starts, as FILE.NAME.PID",
    )  # fmt: skip
    tools.add_option(parser)


def allocator_named(text, build_dir):
    """The Allocator that NAME or PATH means."""
    entry = f"given={text}" if "/" in text else text
    name = entry.partition("=")[0]
    found, left_out = allocators.choose(entry, build_dir)
    chosen = next((allocator for allocator in found if allocator.name == name), None)
    if chosen is None:
        raise UserError(left_out[0])
    reason = check.probe(chosen.library)
    if reason is not None:
        raise UserError(f"{chosen.name}: {reason}")
    return chosen


def handle(arguments):
    interrupts.like_ctrl_c()
    require_command(arguments)
    path = target.resolve(arguments.command)
    output = pathlib.Path(arguments.output or f"{os.path.basename(arguments.command[0])}.trace")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise usage_error(f"record: cannot write {output}")
    built = tools.folder(arguments.build_dir, TARGETS, arguments.allocator)
    recorder = paths.preloadable(built / "librecord.so")
    allocator = allocator_named(arguments.allocator, arguments.build_dir)
    reason = target.why_not_preloaded(path, recorder)
    if reason is not None and not (arguments.program or arguments.children):
        raise UserError(f"cannot be recorded: {reason}")
    with tempfile.TemporaryDirectory(prefix="spillway-record-") as folder:
        variables = preload_environment(os.environ, allocator.library)
        variables = preload_environment(variables, recorder)
        variables |= {
            "SPWTRACE_FOLDER": folder,
            "SPWTRACE_EVENTS": str(arguments.events),
            "SPWTRACE_SKIP": str(arguments.skip),
        }
        if arguments.program:
            variables["SPWTRACE_PROGRAM"] = arguments.program
        pid, status = _run(path, arguments, variables)
        found = packing.images(pathlib.Path(folder))
        made = packing.Packing(built, output, arguments.events)
        if arguments.program:
            made.busiest(found, arguments.program)
        elif arguments.children:
            made.all(found, pid, reason)
        else:
            made.one(found, pid)
    return status


def _run(path, arguments, variables):
    """(process id, exit status as a shell's) of the command. It gets the signals that we get."""
    pid = os.fork()
    if pid == 0:
        try:
            if not (arguments.program or arguments.children):
                variables["SPWTRACE_PID"] = str(os.getpid())
            os._exit(become(path, arguments.command, variables))
        finally:  # whatever went wrong, nothing else here is the child's to do
            os._exit(126)
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}  # the terminal sends it to both
    for number in (signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda number, _: os.kill(pid, number))
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return pid, status if status >= 0 else 128 - status
