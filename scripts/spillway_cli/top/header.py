# SPDX-License-Identifier: MIT
"""The upper part of the page: facts of the whole process, in groups, the most important first."""

from spillway_cli.figures import memory, units
from spillway_cli.figures.text import cells, clip, left, printable, right
from spillway_cli.figures.reading import up_seconds

PLAIN, STRONG, DIM, WARN, BAR = "plain", "strong", "dim", "warn", "bar"
HEAD, SORTED = "head", "sorted"
LABEL, VALUE, GAP = 13, 11, 2
CELL = LABEL + 1 + VALUE
MAX_NAME = 16  # cells of a program's name that other parts of the title make room for


def title(change, interval, paused, clock, width):
    """Which process this is; the time at the right end. A narrow one has the first parts."""
    snapshot, reading = change.later.snapshot, change.later
    version = f"Spillway {printable(str(snapshot['version']))}" if snapshot.get("version") else ""
    parts = (  # in the order of the line; the number is that in which they are left out
        (5, f"pid {reading.pid}"),
        (3, version),
        (0, printable(str(snapshot.get("how", "")))),
        (2, f"up {units.duration_text(up_seconds(reading.figures))}"),
        (4, "paused" if paused else f"every {units.seconds_text(interval)}"),
        (1, clock),
    )
    name = clip(printable(reading.program), MAX_NAME)
    for minimum in range(6):
        end = "".join(f"  {text}" for number, text in parts if text and number >= minimum)
        if cells(name) + len(end) <= width:
            break
    room = width - len(end)
    return [(left(printable(reading.program), room), STRONG), (end, PLAIN)]


def groups(change):
    """Facts, (label, value, style), in three groups: memory, calls, the kernel's part."""
    found = (_memory(change), _calls(change), (*_kernel(change), *_troubles(change)))
    return [[fact for fact in group if fact[1] is not None] for group in found]


def grid(parts, width, most_lines=None):
    """Lines with a column for each group; where fewer fit, the last ones stand below each other."""
    count = max(1, min(len(parts), (width + GAP) // (CELL + GAP)))
    stacks = parts[: count - 1] + [[fact for part in parts[count - 1 :] for fact in part]]
    lines = []
    for at in range(max(len(stack) for stack in stacks)):
        line = []
        for stack in stacks:
            if line:
                line.append((" " * GAP, PLAIN))
            if at < len(stack):
                label, value, style = stack[at]
                line += [(left(label, LABEL) + " ", DIM), (right(value, VALUE), style)]
            else:
                line.append((" " * CELL, PLAIN))
        lines.append(line)
    return lines[:most_lines]


def _bytes(label, value):
    return (label, None if value is None else units.bytes_text(value), STRONG)


def _rate(label, rate):
    return (label, f"{units.rate_text(rate)}/s", PLAIN)


def _memory(change):
    snapshot = change.later.snapshot
    yield _bytes("resident", change.later.figures.resident)
    yield _bytes("live", memory.live(snapshot))
    yield _bytes("thread caches", memory.cached(snapshot))
    yield _bytes("free dirty", memory.free_dirty(snapshot))
    yield _bytes("free clean", memory.free_clean(snapshot))
    yield _bytes("retained", snapshot.get("retained_bytes"))
    yield _bytes("mimalloc live", memory.mimalloc_live(snapshot))
    yield _bytes("mimalloc held", memory.mimalloc_held(snapshot))
    yield _bytes("active", snapshot.get("active_bytes"))
    yield _bytes("metadata", snapshot.get("metadata_bytes"))


def _calls(change):
    rows = change.rows
    yield _rate("allocations", _sum(row.allocations for row in rows))
    yield _rate("frees", _sum(row.frees for row in rows))
    yield ("hit rate", f"{units.percent_text(change.hit_rate())} %", PLAIN)
    yield _rate("refills", change.rate("refills_total"))
    yield _rate("spills", change.rate("spills_total"))
    caches = change.value("thread_caches")
    yield ("caches", None if caches is None else units.count_text(caches), PLAIN)
    yield ("threads", units.count_text(change.later.figures.threads), PLAIN)
    yield ("processor", f"{units.percent_of_one(change.of_process('processor_seconds'))} %", PLAIN)


def _kernel(change):
    yield _rate("page faults", change.of_process("minor_faults"))
    yield _rate("major faults", change.of_process("major_faults"))
    if change.value("page_faults_avoided_total") is not None:
        yield _rate("faults saved", change.rate("page_faults_avoided_total"))
    yield ("purged", f"{units.bytes_text(change.rate('purged_bytes_total'))}/s", PLAIN)
    yield _rate("purges", change.rate("purges_total"))
    refused = change.value("purges_refused_total")
    if refused is not None:
        yield ("purge refused", units.count_text(refused), WARN if refused else PLAIN)
    delay = change.later.options.get("purge_delay", "")
    if delay:
        yield ("purge after", f"{delay} ms" if delay.isdecimal() else printable(delay), PLAIN)
    for label, name in (("limit", "limit"), ("hard limit", "hard_limit")):
        text = change.later.options.get(name)
        if text is not None:
            yield (label, units.bytes_text(int(text)) if text.isdecimal() else printable(text), PLAIN)


def _sum(values):
    known = [value for value in values if value is not None]
    return sum(known) if known else None


# What should be 0; shown when it is not.
_TROUBLES = (
    ("limit_crossed_total", "limit crossed"),
    ("hard_limit_refusals_total", "limit refused"),
    ("class_full_total", "class full"),
    ("pressure_purges_total", "under pressure"),
    ("double_frees_total", "double frees"),
    ("invalid_frees_total", "invalid frees"),
    ("damages_total", "damages"),
    ("size_mismatches_total", "sizes wrong"),
)


def _troubles(change):
    for name, label in _TROUBLES:
        if change.value(name):
            yield (label, units.count_text(change.value(name)), WARN)
    if change.value("pool_off"):
        yield ("pool", "off", WARN)
