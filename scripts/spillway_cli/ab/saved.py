# SPDX-License-Identifier: MIT
"""A report.json of `spillway ab`, read again."""

import json
import pathlib

from spillway_cli.ab.measure import Sample
from spillway_cli.ab.metric import Metric
from spillway_cli.ab.programs import Program
from spillway_cli.ab.report import FORMAT
from spillway_cli.ab.rounds import Comparison, Result
from spillway_cli.ab.server import Server
from spillway_cli.errors import UserError

USAGE = 2  # exit status


def load(path, who, status=1):
    """The data of the file; `who` says so where it can't be read, and ends with `status`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{who}: {path}: {error.strerror}", status) from None
    except ValueError:
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("programs"), list):
        raise not_one(path, who, status)
    return data


def not_one(path, who, status=1):
    return UserError(f"{who}: {path} is no report of `spillway ab`", status)


def read(path, who):
    """(data, Comparison of each program by its name) of a report: its folder, report.json, or another
    file beside that."""
    path = pathlib.Path(path)
    if path.is_dir():
        path = path / "report.json"
    elif path.suffix in (".html", ".md"):
        path = path.with_suffix(".json")
    data = load(path, who, USAGE)
    if data.get("format") != FORMAT:
        raise UserError(f"{who}: {path} is of another version of `spillway ab`", USAGE)
    try:
        return data, {one["name"]: _comparison(one) for one in data["programs"]}
    except (LookupError, TypeError, AttributeError):
        raise not_one(path, who, USAGE) from None


def _comparison(program):
    server = program.get("server")
    about = Program(
        program["name"], program["description"], tuple(program["command"]), None,
        metrics=tuple(Metric(**one) for one in program.get("metrics", [])),
        server=Server(**server) if server else None,
    )  # fmt: skip
    results = {one["allocator"]: _result(one) for one in program["results"]}
    return Comparison(about, results, program["failure"], program["notes"])


def _result(one):
    samples = [Sample(**sample) for sample in one["samples"]]
    return Result(one["allocator"], samples, one["failure"], one["notes"], left=one["left_bytes"])
