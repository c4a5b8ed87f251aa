"""What a command will really execute, and whether the loader will preload a library into it."""

import os
import shutil
import stat

from spillway_cli import elf
from spillway_cli.errors import UserError

MOST_INTERPRETERS = 4  # the kernel's own limit on scripts that name scripts


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
    for _ in range(MOST_INTERPRETERS):
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


def why_not_preloaded(path, library):
    """Why the loader will not put `library` into `path`: one clause, or None when it will."""
    try:
        path = program(path)
        status = os.stat(path)
        binary = elf.read(path)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    except elf.NotElf:
        return f"{path} is neither an ELF file nor a script with an interpreter"
    wanted = elf.read(library)
    if (binary.bits, binary.machine) != (wanted.bits, wanted.machine):
        return f"{path} is for another machine ({binary.bits}-bit, ELF machine {binary.machine})"
    if binary.interpreter is None:
        return f"{path} is statically linked"
    if "musl" in binary.interpreter:
        return f"{path} uses musl, not glibc"
    if "malloc" in binary.defined:
        return f"{path} brings its own malloc"
    if _changes_identity(status):
        return f"{path} is setuid or setgid: the loader ignores LD_PRELOAD there"
    if _has_capabilities(path) and os.geteuid() != 0:
        return f"{path} has file capabilities: the loader ignores LD_PRELOAD there"
    return None


def _changes_identity(status):
    changes_user = status.st_mode & stat.S_ISUID and status.st_uid != os.getuid()
    changes_group = status.st_mode & stat.S_ISGID and status.st_gid != os.getgid()
    return changes_user or changes_group


def _has_capabilities(path):
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False
