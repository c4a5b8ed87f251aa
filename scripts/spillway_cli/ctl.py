# SPDX-License-Identifier: MIT
"""`spillway ctl PID|NAME COMMAND`: sees and steers a running process."""

import argparse
import sys

from spillway_cli import diff
from spillway_cli.attach.choose import choose
from spillway_cli.errors import UserError, usage_error
from spillway_cli.figures.source import LiveSource

COMMANDS = """\
commands:
  stats [text|json|prometheus]  print the statistics, as of now
  purge                         give free memory back to the kernel
  flush                         empty the thread caches, for all threads to use
  diff SECONDS                  say what grew in this time
  get [NAME]                    print an option in force, or all of them
  tenant NAME=SIZE              set a tenant's soft limit; none: remove it
  profile start [BYTES]         sample the heap: a block in each BYTES (2M)
  profile dump FILE             write the samples, for `spillway profile FILE`
                                and pprof
  profile stop                  stop sampling
  set NAME=VALUE                change purge_delay, limit, hard_limit,
                                pressure, on_misuse or deepbind

The process needs no preparation, and goes on meanwhile. It may be preloaded, or
linked with libspillway.a. You can reach the processes that you may debug: your
own, and as root all but setuid ones. Where kernel.yama.ptrace_scope is 1 you
need root, or SPILLWAY_CONTROL=user at the start of the process;
SPILLWAY_CONTROL=off closes it.

exit status: 0; 1 when the process could not be reached, or refused; 2 for a
wrong command line.
"""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "ctl",
        help="see and steer a running process: statistics, purge, options",
        description="Asks a running process that uses Spillway, and prints its answer.",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("process", metavar="PID|NAME", help="its number, or its name")
    parser.add_argument("words", metavar="COMMAND", nargs="+", help="as below")
    parser.set_defaults(handler=handle)


def handle(arguments):
    name, *words = arguments.words
    seconds = diff.seconds(words) if name == "diff" else None
    attachment = choose(arguments.process)
    if arguments.words[:2] == ["profile", "dump"]:
        return dump_profile(attachment, arguments.words[2:])
    if seconds is not None:
        return diff.run(LiveSource(attachment), seconds, lambda: live_profile(attachment))
    sys.stdout.write(attachment.request(" ".join(arguments.words)))
    return 0


def dump_profile(attachment, files):
    if len(files) != 1:
        raise usage_error("profile dump: needs one FILE to write to")
    content = attachment.request_bytes("profile dump")
    try:
        with open(files[0], "wb") as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{files[0]}: {error.strerror}") from error
    print(f"{files[0]}: {len(content)} bytes; spillway profile {files[0]} shows it")
    return 0


def live_profile(attachment):
    """The heap profile as it is now, or None where none was started."""
    try:
        return attachment.request_bytes("profile dump")
    except UserError:
        return None
