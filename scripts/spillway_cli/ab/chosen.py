# SPDX-License-Identifier: MIT
"""The programs that the command line of `spillway ab` names."""

import dataclasses
import shlex

from spillway_cli import target
from spillway_cli.ab import options, programs
from spillway_cli.ab.server import Server
from spillway_cli.errors import usage_error


def find(arguments, out):
    """[Program] to measure."""
    if arguments.server is not None or arguments.load is not None:
        arguments.command = _load(arguments)
    if arguments.command:
        return [_own(arguments)]
    if arguments.ready is not None:
        raise usage_error("ab: --ready is for --server CMD")
    for name in options.OF_A_COMMAND:
        if getattr(arguments, name) is not None:
            raise usage_error(f"ab: --{name} is for a command of yours: spillway ab --{name} ... -- COMMAND")
    names = [name for name in (arguments.programs or "").split(",") if name]
    found = programs.builtin(out, options.percent(arguments), names)
    return [dataclasses.replace(program, warm_ups=arguments.warmup or 0) for program in found]


def _own(arguments):
    if arguments.programs is not None:
        raise usage_error("ab: takes --programs or a command, not both")
    target.resolve(arguments.command)
    metrics = arguments.metric or []
    names = [one.name for one in metrics]
    for name in names:
        if names.count(name) > 1:
            raise usage_error(f"ab: --metric {name} is given twice")
    source = arguments.input
    if source is not None:
        if not source.is_file():
            raise usage_error(f"ab: --input: {source} is not a file")
        source.open("rb").close()  # OSError for one that may not be read
    more = {"prepare": arguments.prepare, "input": source and source.resolve(), "metrics": tuple(metrics)}
    if arguments.server is None:
        if arguments.ready is not None:
            raise usage_error("ab: --ready is for --server CMD")
        return programs.of_command(arguments.command, warm_ups=arguments.warmup or 0, **more)
    if arguments.ready is None:
        raise usage_error("ab: --server takes --ready PORT, or --ready PATTERN of what it prints then")
    command = _words("server", arguments.server)
    target.resolve(command)
    server = Server(tuple(command), arguments.ready, arguments.warmup or 0)
    return programs.of_server(server, arguments.command, **more)


def _load(arguments):
    """The command that is the server's load."""
    if arguments.server is None:
        raise usage_error("ab: --load is for --server CMD")
    if arguments.load is None:
        if not arguments.command:
            raise usage_error("ab: --server takes a load: spillway ab --server CMD --ready PORT -- LOAD...")
        return arguments.command
    if arguments.command:
        raise usage_error("ab: takes --load or a command, not both")
    return _words("load", arguments.load)


def _words(option, text):
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise usage_error(f"ab: --{option}: {error}: {text}") from None
    if not words:
        raise usage_error(f"ab: --{option} is empty")
    return words
