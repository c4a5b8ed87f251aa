# SPDX-License-Identifier: MIT
"""Which process a user means: by number or by name."""

import os

from spillway_cli import attach
from spillway_cli.errors import UserError

MAX_NAMED = 8  # in a complaint


def choose(text):
    """The Attachment of the process that `text` means: its number, or its name if only one under
    Spillway has it. UserError of one line."""
    if text.isdecimal():
        found = attach.find(int(text))
        if found is None:
            raise UserError(f"process {text} has no Spillway")
        return found
    same = [one for one in attach.all_processes() if text in (one.name, _program(one.pid))]
    if not same:
        raise UserError(f"no process named {text} under Spillway that we may look at")
    if len(same) > 1:
        numbers = ", ".join(str(one.pid) for one in same[:MAX_NAMED])
        more = ", ..." if len(same) > MAX_NAMED else ""
        raise UserError(f"{len(same)} processes under Spillway are named {text}: {numbers}{more}")
    return choose(str(same[0].pid))


def _program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).removesuffix(" (deleted)")
    except OSError:
        return None
