# SPDX-License-Identifier: MIT
"""report.json: the machine, the allocators and every raw value, for other tools."""

import dataclasses
import datetime
import json

from spillway_cli.allocators import BASELINE

from report import files
from report.statistics import paired_ratio

FORMAT = 1  # raised when a reader of the old form would be misled


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def content(comparisons, allocators, left_out, machine, settings, made):
    return {
        "format": FORMAT,
        "made": made,
        "machine": machine,
        "settings": settings,
        "allocators": [
            {"name": a.name, "library": str(a.library), "version": a.version} for a in allocators
        ],
        "left_out": left_out,
        "programs": [_program(comparison) for comparison in comparisons],
    }


def _program(comparison):
    program = comparison.program
    return {
        "name": program.name,
        "description": program.description,
        "command": list(program.command),
        "prepare": program.prepare,
        "input": program.input and str(program.input),
        "warm_ups": program.warm_ups,
        "server": program.server and dataclasses.asdict(program.server),
        "metrics": [dataclasses.asdict(metric) for metric in program.metrics],
        "failure": comparison.failure,
        "notes": comparison.notes,
        "results": [_result(r, comparison.baseline) for r in comparison.results.values()],
    }


def _result(result, baseline):
    entry = {
        "allocator": result.allocator,
        "failure": result.failure,
        "notes": result.notes,
        "memory_over_time": result.memory,
        "left_bytes": result.left,
        "samples": [dataclasses.asdict(sample) for sample in result.samples],
    }
    if result.samples and not result.failure and result.allocator != BASELINE:
        for field in ("wall", "cpu"):
            values = [[getattr(s, field) for s in r.samples] for r in (result, baseline)]
            entry[f"{field}_ratio"] = dataclasses.asdict(paired_ratio(*values))
    return entry


def write(path, data):
    files.write(path, json.dumps(data, indent=1) + "\n")
