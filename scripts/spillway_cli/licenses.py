# SPDX-License-Identifier: MIT
"""`spillway licenses`: Spillway's own, and those of the code that its libraries contain."""

from spillway_cli import paths
from spillway_cli.errors import UserError

FILES = ("LICENSE", "THIRD_PARTY_LICENSES")


def add_parser(subparsers):
    parser = subparsers.add_parser("licenses", help="the licences of Spillway and of what it contains")
    parser.set_defaults(handler=handle)


def handle(_arguments):
    print("\n".join(text(name) for name in FILES), end="")
    return 0


def text(name):
    try:
        return (paths.ROOT / name).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"licenses: {paths.ROOT / name}: {error.strerror}") from None
