# SPDX-License-Identifier: MIT
"""Facts of a program, none of which needs it to run: what is executed, and what keeps a library out of it."""

import os

from spillway_cli import own_allocator, target
from spillway_cli.doctor.finding import note, ok, problem

# By target.Obstacle.kind; an own malloc has a function of its own.
ACTIONS = {
    "unreadable": "run the doctor as a user who may read it",
    "not ELF": "name the program, or the interpreter that reads it",
    "static": "link it with libspillway.a (alloc/docs/LINKING.md), or without -static",
    "machine": "use a build of the program for this machine",
    "libc": "use a build for glibc; a static build can be linked with libspillway.a",
    "sanitizer": "use a build without -fsanitize; see SANITIZERS.md for both together",
    "privileged": "link it with libspillway.a, or preload by /etc/ld.so.preload, which setuid programs obey",
}


def look(path, library):
    """([Finding], the OwnAllocator or None) of the program; `path` as target.resolve() has it."""
    obstacle = target.obstacle(path, library)
    own = own_allocator.beside(path, obstacle)
    return _findings(path, obstacle, own), own


def _findings(path, obstacle, own):
    if obstacle is not None and obstacle.kind == "unreadable":
        return [problem("program", obstacle.reason, ACTIONS[obstacle.kind])]
    executed = target.program(path)
    found = []
    if executed != path:
        found.append(ok("script", f"{path} is run by {executed}, which is looked at"))
    if own is not None:
        found.append(_own(executed, own))
    elif obstacle is not None:
        found.append(problem("program", obstacle.reason, ACTIONS[obstacle.kind]))
    else:
        found.append(ok("program", f"{executed} is dynamic, for glibc, not privileged"))
        found.append(ok("allocator", "malloc is the C library's; a preloaded one replaces it"))
    return found


def _own(path, own):
    name = os.path.basename(path)
    if own.is_spillway:
        return ok("allocator", f"{name} is linked with {own.name}: nothing is to be preloaded")
    if own.in_program:
        which = f" ({own.name})" if own.name else ""
        return problem("allocator", f"{name} defines malloc itself{which}: no preloaded library replaces it",
                       "build it without its allocator; then look again")  # fmt: skip
    text = f"{name} brings {own.name} ({own.file}); `spillway run` steps aside, LD_PRELOAD and run --insist do not"
    if own.foreign:
        action = f"don't insist: it calls {', '.join(own.foreign)}, whose blocks Spillway's free refuses"
        return note("allocator", text, action)
    return note("allocator", text, f"compare both: spillway ab -- {name}")
