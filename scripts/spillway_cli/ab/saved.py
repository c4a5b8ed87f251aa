# SPDX-License-Identifier: MIT
"""A report.json of `spillway ab`, read again."""

import dataclasses
import json
import pathlib

from spillway_cli.ab import machine
from spillway_cli.ab.measure import Sample
from spillway_cli.ab.metric import Metric
from spillway_cli.ab.programs import Program
from spillway_cli.ab.report import FORMAT
from spillway_cli.ab.rounds import Comparison, Result
from spillway_cli.ab.server import Server
from spillway_cli.allocators import BASELINE
from spillway_cli.errors import usage_error


@dataclasses.dataclass(frozen=True)
class Saved:
    made: str
    rounds: int
    noise: float | None  # of noise.Noise.spread()
    work_seconds: float | None  # of noise.Noise.seconds()
    machine: dict
    machine_line: str
    versions: dict  # by allocator
    comparisons: dict  # by program


def load(path, command):
    """The data of the file; the subcommand is named where it can't be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise usage_error(f"{command}: {path}: {error.strerror}") from None
    except ValueError:
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("programs"), list):
        raise no_report(path, command)
    return data


def no_report(path, command):
    return usage_error(f"{command}: {path} is no report of `spillway ab`")


def read(path, command):
    """The Saved of a report: its folder, report.json, or another file beside that."""
    path = pathlib.Path(path)
    if path.is_dir():
        path = path / "report.json"
    elif path.suffix in (".html", ".md"):
        path = path.with_suffix(".json")
    data = load(path, command)
    if data.get("format") != FORMAT:
        raise usage_error(f"{command}: {path} is of another version of `spillway ab`")
    try:
        return _saved(data)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise no_report(path, command) from None


def _saved(data):
    settings = data["settings"]
    return Saved(
        made=_of(str, data["made"]),
        rounds=_of(int, settings["rounds"]),
        noise=_number(settings.get("noise")),
        work_seconds=_number(settings.get("noise_work_seconds")),
        machine=data["machine"],
        machine_line=machine.one_line(data["machine"]),
        versions={one["name"]: one["version"] for one in data["allocators"]},
        comparisons={one["name"]: _comparison(one) for one in data["programs"]},
    )


def _of(kind, value):
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def _number(value):
    return None if value is None else _of((int, float), value)


def _comparison(program):
    server = program.get("server")
    about = Program(
        program["name"], program["description"], tuple(program["command"]), None,
        metrics=tuple(Metric(**one) for one in program.get("metrics", [])),
        server=Server(**server) if server else None,
    )  # fmt: skip
    results = {one["allocator"]: _result(one, about.metrics) for one in program["results"]}
    made = Comparison(about, results, program["failure"], program["notes"])
    for result in results.values():  # rounds are paired
        if not result.failure and len(result.samples) != len(results[BASELINE].samples):
            raise ValueError(result.allocator)
    return made


def _result(one, metrics):
    samples = [Sample(**sample) for sample in one["samples"]]
    for sample in samples:
        for value in (sample.wall, sample.cpu, sample.peak_rss, sample.minor_faults):
            _of((int, float), value)
        for metric in metrics:
            _of((int, float), sample.metrics[metric.name])
    left = [_of(int, value) for value in one["left_bytes"]]
    return Result(one["allocator"], samples, one["failure"], one["notes"], left=left)
