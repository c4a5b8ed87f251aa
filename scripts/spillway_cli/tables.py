# SPDX-License-Identifier: MIT
"""`spillway options` and `spillway classes`: the library's own tables, laid out for a terminal.

The rows come from the built program spillway_info, as tab-separated lines without a heading.
"""

import subprocess
import textwrap

from spillway_cli import paths
from spillway_cli.errors import UserError

WIDTH = 80


def add_parser(subparsers):
    options = subparsers.add_parser("options", help="the library's options, defaults and bounds")
    options.add_argument(
        "--markdown", action="store_true", help="as the table of alloc/docs/OPTIONS.md"
    )
    options.set_defaults(
        handler=lambda arguments: show(
            "options", markdown_options if arguments.markdown else format_options
        )
    )
    classes = subparsers.add_parser("classes", help="the size classes of the pool")
    classes.set_defaults(handler=lambda arguments: show("classes", format_classes))


def rows(table, columns):
    done = subprocess.run(
        [paths.built(paths.INFO), table], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UserError(f"{paths.INFO.name} {table} failed: {done.stderr.strip()}")
    return parse(done.stdout, columns)


def parse(text, columns):
    found = [line.split("\t") for line in text.splitlines() if line]
    for row in found:
        if len(row) != columns:
            raise UserError(f"expected {columns} columns, not {len(row)}: {' | '.join(row)}")
    return found


def show(table, layout):
    print(layout(rows(table, {"options": 5, "classes": 3}[table])))
    return 0


def format_options(table):
    lines = [
        "Set one as SPILLWAY_<NAME>=value, several as SPILLWAY_CONF=name:value,name:value",
        "or as `spillway run --conf name:value,... -- COMMAND`.",
        "",
    ]
    name_width = max(len(row[0]) for row in table)
    default_width = max(len(row[2]) for row in table)
    kind_width = max(len(row[1]) for row in table)
    indent = " " * (name_width + 2)
    for name, kind, default, bounds, text in table:
        head = f"{name:{name_width}}  {default:{default_width}}  {kind:{kind_width}}  "
        lines += textwrap.wrap(
            bounds, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)
        ) or [head]
        lines += textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return "\n".join(line.rstrip() for line in lines)


def markdown_options(table):
    lines = ["| option | default | values | meaning |", "|---|---|---|---|"]
    for name, _, default, bounds, text in table:
        values = bounds.replace("|", ", ")
        lines.append(f"| `{name}` | {default} | {values} | {text} |")
    return "\n".join(lines)


def format_classes(table):
    lines = ["class        size      stride"]
    for index, size, stride in table:
        lines.append(f"{index:>5}  {_bytes(size):>10}  {_bytes(stride):>10}")
    return "\n".join(lines)


def _bytes(text):
    """A count of bytes in the largest unit that leaves it whole."""
    value = int(text)
    for unit in ("", " KiB", " MiB"):
        if value % 1024 or value == 0:
            return f"{value}{unit}"
        value //= 1024
    return f"{value} GiB"
