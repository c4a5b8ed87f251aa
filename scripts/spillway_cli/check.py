# SPDX-License-Identifier: MIT
"""`spillway check [PID]`: is the library there and does it load; is it the allocator of a process."""

import os
import subprocess

from spillway_cli import attach, elf, paths, process, target
from spillway_cli.errors import UserError

PROBE = ("/bin/cat", "/proc/self/maps")  # a small program that shows what was loaded into it


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "check",
        help="is Spillway loadable; is it in use in a process",
        description="Without PID: whether the library is built and loads into a program. With PID: "
        "whether that process uses it. Exit status 0 for yes, 1 for no.",
    )
    parser.add_argument("pid", metavar="PID", nargs="?", type=int)
    paths.add_option(parser)
    parser.set_defaults(handler=handle)


def handle(arguments):
    if arguments.pid is None:
        library = paths.LIBRARY if arguments.lib is None else paths.library(arguments.lib)
        return check_library(library)
    return check_process(arguments.pid)


def probe(library):
    """None when `library` really loads into a program, else why not (one line)."""
    return probed(library)[0]


def complaint(library, variables):
    """What Spillway says of its options in `variables` when a program starts: its first line, or None."""
    return probed(library, variables)[1]


def probed(library, variables=None):
    """What probe() and complaint() return, of one run."""
    variables = dict(os.environ, **(variables or {}), LD_PRELOAD=str(library))
    done = subprocess.run(
        PROBE, env=variables, capture_output=True, text=True, errors="replace", check=False
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("spillway: ")]
    return _loading(done, library), lines[0].removeprefix("spillway: ") if lines else None


def _loading(done, library):
    complaint = (done.stderr.strip().splitlines() or [""])[0]
    if done.returncode < 0:
        return f"a program that loads it is killed by signal {-done.returncode} {complaint}".rstrip()
    if done.returncode > 0:
        return f"a program that loads it exits with status {done.returncode} {complaint}".rstrip()
    mapped = (line.split(None, 5)[-1] for line in done.stdout.splitlines())
    if not any(process.same_file(path, library) for path in mapped if path.startswith("/")):
        return complaint or "the loader ignores it without a word"
    return None


def check_library(library):
    if not library.exists():
        print(f"NO: {library} is not built; scripts/build makes it")
        return 1
    needed = elf.read(library).needed
    reason = target.why_not_preloaded(PROBE[0], library) or probe(paths.preloadable(library))
    if reason is not None:
        print(f"NO: {library}: {reason}")
        return 1
    print(f"library  {library}")
    print(f"needs    {' '.join(needed) or 'nothing'}")
    print("YES: a program started with it in LD_PRELOAD has it loaded")
    return 0


def is_spillway(path):
    return path is not None and os.path.basename(path).startswith("libspillway.so")


def check_process(pid):
    attachment = attach.find(pid)
    try:
        executable = process.executable(pid)
        if executable is None:
            raise UserError(f"no process {pid}")
        variables = process.environment(pid) or {}
        mapped = next((path for path in process.mapped_files(pid) if is_spillway(path)), None)
        if mapped is None and attachment is not None and attachment.how == "preloaded":
            mapped = attachment.path  # under another name
        used = process.allocator(pid, [mapped] if mapped else [])
    except PermissionError as error:
        raise UserError(f"process {pid} is another user's: not allowed to look at it") from error
    print(f"program    {executable}")
    if attachment is not None:
        print(f"version    {attachment.version}")
        if attachment.how != "preloaded":
            print("YES: Spillway is the allocator: the program is linked with it")
            return 0
    preloaded = variables.get("LD_PRELOAD") or "nothing"
    if mapped and not any(is_spillway(name) for name in process.preload_list(variables)):
        preloaded = "unknown: the process overwrote its environment"
    print(f"preloaded  {preloaded}")
    for name in sorted(name for name in variables if name.startswith("SPILLWAY_")):
        print(f"option     {name}={variables[name]}")
    verdict, status = judge(executable, variables, mapped, used)
    print(verdict)
    return status


def judge(executable, variables, mapped, used):
    """(the verdict, the exit status) from what /proc says; `used` is the file that defines malloc."""
    asked = any(is_spillway(name) for name in process.preload_list(variables))
    if is_spillway(used):
        if mapped is not None and mapped.endswith(" (deleted)"):
            return "YES: Spillway is the allocator (its file was replaced since: an older build)", 0
        return "YES: Spillway is the allocator", 0
    if mapped is not None and (used is None or process.same_file(used, mapped)):
        return "YES: Spillway is the allocator", 0  # its files are not to be seen from here
    if mapped is not None:
        return f"NO: Spillway is mapped, but malloc is that of {used}", 1
    why = f"malloc is that of {used}" if used else "the program is statically linked"
    if used is not None and process.same_file(used, executable):
        why = "the program brings its own malloc"
    if asked:
        return f"NO: LD_PRELOAD names Spillway, but it is not mapped; {why}", 1
    return f"NO: not started with Spillway; {why}", 1
