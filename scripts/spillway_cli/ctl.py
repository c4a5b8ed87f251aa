"""`spillway ctl PID|NAME COMMAND`: sees and steers a running process."""

import argparse
import sys

from spillway_cli.attach.choose import choose

COMMANDS = """\
commands:
  stats [text|json|prometheus]  the statistics, as of now
  purge                         gives free memory back to the kernel
  flush                         moves blocks from thread caches to where all threads find them
  get [NAME]                    an option in force, or all of them
  tenant NAME=SIZE              the soft limit of a tenant; none: it has no more
  set NAME=VALUE                changes purge_delay, limit, hard_limit, pressure, on_misuse, deepbind

The process need not have been prepared: it may be preloaded, or linked with libspillway.a. Who may
debug it may do this: its user and root, but nobody for a setuid program, and only root, or its
parents, where kernel.yama.ptrace_scope is 1; SPILLWAY_CONTROL=off at its start closes it, and
SPILLWAY_CONTROL=user opens it to its user in spite of Yama. The process goes on meanwhile.

exit status: 0; 1 when the process could not be reached, or refused; 2 for a wrong command line.
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
    attachment = choose(arguments.process)
    sys.stdout.write(attachment.request(" ".join(arguments.words)))
    return 0
