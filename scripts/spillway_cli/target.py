# SPDX-License-Identifier: MIT
"""What a command will really execute, and whether the loader will preload a library into it."""

import dataclasses
import os
import re
import shutil
import stat

from spillway_cli import elf
from spillway_cli.errors import UserError

# gcc's libasan.so.8, clang's libclang_rt.asan-x86_64.so
SANITIZER_LIBRARY = re.compile(r"lib(?:clang_rt\.)?([a-z]+san)\b")
MAX_INTERPRETERS = 4  # the kernel's own limit on scripts that name scripts


def resolve(command):
    """The file that `command[0]` names, as a shell would find it; UserError with the shell's status."""
    found = shutil.which(command[0])
    if found is not None:
        return found
    if os.path.exists(command[0]) and "/" in command[0]:
        raise UserError(f"{command[0]}: not executable", status=126)
    raise UserError(f"{command[0]}: command not found", status=127)


def program(path):
    """The ELF file executed for `path`: itself, or the interpreter of a script (through `env` too)."""
    for _ in range(MAX_INTERPRETERS):
        with open(path, "rb") as file:
            line = file.readline(256)
        if not line.startswith(b"#!"):
            return path
        words = os.fsdecode(line[2:]).split()
        if not words:
            return path
        path = words[0]
        if os.path.basename(path) == "env":
            names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
            path = (shutil.which(names[0]) if names else None) or path
    return path


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Why a library that is preloaded does not become the allocator of a program."""

    kind: str  # "unreadable", "not ELF", "static", "machine", "libc", "sanitizer", "own malloc", "privileged"
    reason: str  # one clause
    # Whether LD_PRELOAD harms the program itself: its loader fails or complains, or its run-time
    # library does. Where it does not, programs that this one starts may still use it.
    harms: bool = False


def obstacle(path, library):
    """What keeps `library` out of `path`; None when the loader will preload it."""
    try:
        path = program(path)
        status = os.stat(path)
        binary = elf.read(path)
    except OSError as error:
        return Obstacle("unreadable", f"{error.filename or path} cannot be read ({error.strerror})")
    except elf.NotElf:
        return Obstacle("not ELF", f"{path} is neither an ELF file nor a script with an interpreter")
    if binary.interpreter is None:
        return Obstacle("static", f"{path} is statically linked")
    wanted = elf.read(library)
    if binary.bits != wanted.bits:
        return Obstacle("machine", f"{path} is a {binary.bits}-bit program", harms=True)
    if binary.machine != wanted.machine:
        reason = f"{path} is for another machine (ELF machine {binary.machine})"
        return Obstacle("machine", reason, harms=True)
    libc, wanted_libc = _libc(binary), _libc(wanted)
    if libc != wanted_libc:
        reason = f"{path} uses {libc}, not {wanted_libc}"
        if libc == "musl":
            reason += "; `scripts/build musl` makes a library for it"
        return Obstacle("libc", reason, harms=True)
    if _sanitizer(binary):
        reason = f"{path} was built with -fsanitize={_sanitizer(binary)}, which brings its own malloc"
        return Obstacle("sanitizer", reason, harms=True)
    if "malloc" in binary.defined:
        return Obstacle("own malloc", f"{path} brings its own malloc")
    if _changes_identity(status):
        reason = f"{path} is setuid or setgid: the loader ignores LD_PRELOAD there"
        return Obstacle("privileged", reason)
    if _has_capabilities(path) and os.geteuid() != 0:
        reason = f"{path} has file capabilities: the loader ignores LD_PRELOAD there"
        return Obstacle("privileged", reason)
    return None


def why_not_preloaded(path, library):
    """The reason alone: one clause, or None."""
    found = obstacle(path, library)
    return None if found is None else found.reason


def _libc(binary):
    """The C library of a program, or of a library of ours: glibc's only name is libc.so.6."""
    if "musl" in (binary.interpreter or ""):
        return "musl"
    names = [name for name in binary.needed if name == "libc.so" or name.startswith("libc.")]
    other = next((name for name in names if name != "libc.so.6"), None)
    if other is None:
        return "glibc"
    return "musl" if binary.interpreter is None else other


def _sanitizer(binary):
    """The sanitizer, as -fsanitize= names it, whose run-time library the program has or needs.

    Only those that replace malloc; they must come first in the loader's order.
    """
    found = [name for symbol, name in elf.SANITIZERS.items() if symbol in binary.defined]
    for needed in binary.needed:
        library = SANITIZER_LIBRARY.match(needed)
        if library:
            found.append(elf.SANITIZERS.get(f"__{library[1]}_init"))
    return next((name for name in found if name is not None), None)


def _changes_identity(status):
    changes_user = status.st_mode & stat.S_ISUID and status.st_uid != os.getuid()
    changes_group = status.st_mode & stat.S_ISGID and status.st_gid != os.getgid()
    return changes_user or changes_group


def _has_capabilities(path):
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False
