# SPDX-License-Identifier: MIT
"""What is measured: the built-in programs of bench/programs, or the user's command."""

import dataclasses
import pathlib
import shlex
import subprocess

from spillway_cli import paths
from spillway_cli.ab.server import Server
from spillway_cli.errors import UserError, usage_error

FOLDER = paths.ROOT / "bench" / "programs"


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    description: str
    command: tuple
    folder: pathlib.Path | None  # a built-in program's own; None: the user's command
    prepare: str | None = None  # for sh, before each run
    input: pathlib.Path | None = None  # None: empty
    metrics: tuple = ()  # of metric.Metric
    warm_ups: int = 0  # of each allocator, before the measured rounds
    server: Server | None = None  # what `command`, then a load, is for


def table(text):
    """[(name, description)] of a table file: a name and a text by line, `#` starts a comment."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [tuple(line.split("\t", 1)) for line in lines]


def builtin(out, percent, chosen=None):
    """The built-in programs, their inputs not yet prepared."""
    if paths.INSTALLED:
        raise usage_error("ab: the built-in programs are in Spillway's sources; spillway ab -- COMMAND")
    known = table((FOLDER / "PROGRAMS").read_text(encoding="utf-8"))
    names = [name for name, _ in known]
    for name in chosen or ():
        if name not in names:
            raise usage_error(f"ab: unknown program '{name}'; known: {', '.join(names)}")
    return [
        Program(
            name,
            description,
            (str(FOLDER / name), "run", str(out / "work" / name), str(percent)),
            out / "work" / name,
        )
        for name, description in known
        if not chosen or name in chosen
    ]


def prepare(program):
    """Generates a built-in program's input."""
    if program.folder is None:
        return
    program.folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [program.command[0], "prepare", program.folder],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise UserError(f"preparing its input failed with status {done.returncode}: {last}")


def of_command(command, **more):
    """A program that is the user's command; more: other fields of Program."""
    name = pathlib.Path(command[0]).name
    return Program(name, shlex.join(command), tuple(command), None, **more)


def of_server(server, load, **more):
    name = pathlib.Path(server.command[0]).name
    description = f"{shlex.join(server.command)}, under {shlex.join(load)}"
    return Program(name, description, tuple(load), None, server=server, **more)
