"""`spillway record`: runs a command with the recorder preloaded and packs what it wrote into a trace."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from spillway_cli import allocators, check, paths, target
from spillway_cli.arguments import whole_number
from spillway_cli.errors import UserError, usage_error
from spillway_cli.run import preload_environment

EVENTS = 1_000_000
MOST_EVENTS = 1 << 25  # a trace's own limit
TARGETS = ("librecord", "bench_trace", "bench_replay")


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "record",
        help="record a command's allocator calls as a trace",
        usage="spillway record [options] -- COMMAND...",
        description="Runs COMMAND and writes its calls of malloc and its kin to a trace, for "
        "`spillway replay`. The exit status is COMMAND's own.",
    )
    parser.add_argument(
        "-o", dest="output", metavar="FILE", help="the trace (default: COMMAND's name and .trace)"
    )
    parser.add_argument(
        "--allocator", metavar="NAME|PATH", default=allocators.BASELINE,
        help="the allocator that serves COMMAND (glibc)",
    )  # fmt: skip
    parser.add_argument(
        "--events", type=whole_number(1, MOST_EVENTS), default=EVENTS, metavar="N",
        help=f"the recording ends after N events; COMMAND goes on ({EVENTS})",
    )  # fmt: skip
    parser.add_argument(
        "--skip", type=whole_number(0, MOST_EVENTS), default=0, metavar="N",
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
    add_build_option(parser)
    parser.set_defaults(handler=handle)


def add_build_option(parser):
    parser.add_argument(
        "--build-dir", metavar="DIR", type=pathlib.Path,
        help="use the programs built there as they are (default: build/release, brought up to date)",
    )  # fmt: skip


def built(build_dir, targets=TARGETS):
    """The folder with the programs: `build_dir`, or build/release after a build of `targets`."""
    if build_dir is None:
        done = subprocess.run(
            [paths.ROOT / "scripts" / "build", "release", *targets], stdout=sys.stderr, check=False
        )
        if done.returncode != 0:
            raise UserError("the build failed (see above)")
        return paths.RELEASE
    if not (build_dir / "librecord.so").is_file():
        raise usage_error(f"--build-dir: no librecord.so in {build_dir}")
    return build_dir.resolve()


def allocator_named(text):
    """The Allocator that NAME or PATH means."""
    entry = f"given={text}" if "/" in text else text
    name = entry.partition("=")[0]
    found, left_out = allocators.choose(entry)
    chosen = next((allocator for allocator in found if allocator.name == name), None)
    if chosen is None:
        raise UserError(left_out[0])
    reason = check.probe(chosen.library)
    if reason is not None:
        raise UserError(f"{chosen.name}: {reason}")
    return chosen


@dataclasses.dataclass
class Image:
    """One program that ran in one process, as the recorder wrote it."""

    path: pathlib.Path  # of the recorder's file, PID.NUMBER

    @property
    def pid(self):
        return int(self.path.name.partition(".")[0])

    @property
    def number(self):
        """A process that became another program has several."""
        return int(self.path.name.partition(".")[2])


def images(folder):
    """The last program of each process, by process id."""
    found = {}
    for image in sorted((Image(path) for path in folder.iterdir()), key=lambda image: image.number):
        found[image.pid] = image
    return found


def handle(arguments):
    if not arguments.command:
        raise usage_error("record: no command; usage: spillway record [options] -- COMMAND...")
    path = target.resolve(arguments.command)
    tools = built(arguments.build_dir)
    recorder = paths.preloadable(tools / "librecord.so")
    allocator = allocator_named(arguments.allocator)
    reason = target.why_not_preloaded(path, recorder)
    if reason is not None and not (arguments.program or arguments.children):
        raise UserError(f"cannot be recorded: {reason}")
    output = pathlib.Path(arguments.output or f"{os.path.basename(arguments.command[0])}.trace")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise usage_error(f"record: cannot write {output}")
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
        _pack(Packing(tools, arguments, output), images(pathlib.Path(folder)), pid)
    return status


def _run(path, arguments, variables):
    """(process id, exit status as a shell's) of the command. It gets the signals that we get."""
    only_itself = not (arguments.program or arguments.children)
    pid = os.fork()
    if pid == 0:
        try:
            if only_itself:
                variables["SPWTRACE_PID"] = str(os.getpid())
            os.execve(path, arguments.command, variables)
        except OSError as error:
            print(f"spillway: {path}: {error.strerror}", file=sys.stderr)
        os._exit(126)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return pid, status if status >= 0 else 128 - status


@dataclasses.dataclass
class Packing:
    tools: pathlib.Path
    arguments: object
    output: pathlib.Path

    def write(self, image, path):
        """Packs `image` into `path` and returns what the packer says of it."""
        tool = self.tools / "bench" / "bench_trace"
        done = subprocess.run(
            [tool, "pack", image.path, path], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise UserError(done.stderr.strip() or f"{tool} failed")
        return json.loads(done.stdout)

    def tell(self, path, facts):
        done = subprocess.run(
            [self.tools / "bench" / "bench_trace", "show", path],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        cut = facts["last_stamp"] >= self.arguments.events
        note = f"; cut after {self.arguments.events} events" if cut else ""
        print(f"spillway: {done.stdout.strip()}{note}", file=sys.stderr)


def _pack(packing, found, pid):
    arguments = packing.arguments
    if arguments.program:
        pid = max(found, key=lambda one: found[one].path.stat().st_size, default=None)
        missing = f"no process named {arguments.program} called malloc"
    else:
        missing = "nothing was recorded: the command did not call malloc, or one of its own"
    if pid not in found:
        raise UserError(missing)
    packing.tell(packing.output, packing.write(found[pid], packing.output))
    if not arguments.children:
        return
    for image in found.values():
        if image.pid == pid:
            continue
        path = packing.output.with_name(f"{packing.output.name}.{image.pid}")
        facts = packing.write(image, path)
        named = packing.output.with_name(
            f"{packing.output.name}.{facts['program'].replace('/', '_')}.{image.pid}"
        )
        path.rename(named)
        packing.tell(named, facts)

