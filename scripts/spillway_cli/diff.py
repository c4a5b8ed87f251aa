# SPDX-License-Identifier: MIT
"""`spillway ctl PID diff SECONDS`: waits, and says in sentences what grew between two readings.

`run()` is called by ctl. The sentences keep apart what is different: memory that the program holds,
free blocks in thread caches, free memory that the process keeps, and the blocks that mimalloc
serves, of which less is known.
"""

import argparse
import textwrap
import time

from spillway_cli import arguments
from spillway_cli.errors import UserError, usage_error
from spillway_cli.figures import memory, stacks, tenants, units
from spillway_cli.figures.rates import MIMALLOC, Change
from spillway_cli.figures.text import printable

WIDTH = 80
# Of what /proc/PID/stat says: each processor keeps up to 32 pages or more uncounted. Arbitrary beyond
# that of four.
RESIDENT_ERROR = 512 << 10
KEPT_SPACE = "\N{NO-BREAK SPACE}"
MAX_CLASSES = 10  # that are named; the others are one sentence
MAX_STACKS = 5  # likewise
KINDS = {
    "large": "Blocks above 1 MiB, and growing ones,",
    "guarded": "Hardened and sampled blocks",
}


def seconds(words):
    """The number that follows `diff` on the command line."""
    try:
        (word,) = words
        return arguments.seconds(word)
    except (ValueError, argparse.ArgumentTypeError) as error:
        why = str(error) if words[1:] == [] and words else "takes one number of seconds"
        raise usage_error(f"diff: {why}") from error


def run(source, duration, profile, wait=time.sleep):
    """`profile()` gives the heap profile in pprof's format, or None where none was started.

    Ctrl-C ends the wait early.
    """
    source.read()  # the first one has the process make room for answers
    before, profile_before = source.read(), profile()
    try:
        wait(duration)
    except KeyboardInterrupt:
        print()
    profile_after, after = profile(), source.read()
    change = Change(before, after)
    if change.anew:
        raise UserError(f"another program runs in process {source.pid} now; nothing to compare")
    grown = None
    if profile_before is not None and profile_after is not None:
        grown = stacks.growth(profile_before, profile_after)
    for line in report(change, grown):
        print(line)
    return 0


def report(change, grown=None):
    """The lines of the report; `grown` is what stacks.growth() gives, None without a profile."""
    lines = _filled(summary(change), "")
    parts = (
        ("Live memory:", live_memory(change)),
        ("By sampled stack:", by_stack(change, grown)),
        ("Blocks below 4 KiB and above 64 MiB, which mimalloc serves:", of_mimalloc(change)),
        ("Tenants:", by_tenant(change)),
        ("Thread caches:", thread_caches(change)),
        ("Free memory:", free_memory(change)),
        ("Resident memory:", resident(change)),
    )
    for heading, sentences in parts:
        if sentences:
            lines.append(heading)
            for sentence in sentences:
                lines += _filled(sentence, "  ")
    return lines


def summary(change):
    """What to know first; that nothing grew, if so."""
    head = f"{printable(change.later.program)} (pid {change.later.pid}), {change.elapsed:.1f} s: "
    grown, live = change.difference(memory.live), memory.live(change.later.snapshot)
    others = {
        "memory in thread caches": change.difference(memory.cached),
        "free memory kept": change.difference(memory.free_dirty),
        "resident memory": _resident_growth(change),
    }
    growing = [name for name, value in others.items() if value and value > 0]
    if grown is not None and grown > 0:
        speed = _bytes(grown / change.elapsed)
        return f"{head}live memory grew by {_bytes(grown)} to {_bytes(live)}, {speed}/s."
    state = f"stayed the same, {_bytes(live)}" if not grown else f"fell by {_bytes(-grown)} to {_bytes(live)}"
    if any(row.grown and row.grown > 0 for row in change.rows):
        return f"{head}live memory {state}; some sizes grew at the expense of others."
    if growing:
        return f"{head}live memory {state}; what grew is {_list(growing)}."
    return f"{head}nothing grew. Live memory {state}."


def live_memory(change):
    rows = [row for row in change.rows if row.name != MIMALLOC and row.grown_bytes]
    grew = sorted((row for row in rows if row.grown_bytes > 0), key=lambda row: -row.grown_bytes)
    fell = [row for row in rows if row.grown_bytes < 0]
    found = [_grew(row) for row in grew[:MAX_CLASSES]]
    if len(grew) > MAX_CLASSES:
        rest = grew[MAX_CLASSES:]
        total = _bytes(sum(row.grown_bytes for row in rest))
        found.append(f"Blocks of {_count(len(rest), 'more size')} grew by {total} in all.")
    if fell:
        total = _bytes(-sum(row.grown_bytes for row in fell))
        if len(fell) == 1:
            found.append(f"{_blocks_of(fell[0])} fell by {total}.")
        else:
            found.append(f"Blocks of {len(fell)} sizes fell by {total} in all.")
    return found


def _grew(row):
    text = f"{_blocks_of(row)} grew by "
    if row.grown is None or row.grown <= 0:  # longer ones, not more
        text += f"{_bytes(row.grown_bytes)}"
    else:
        text += f"{row.grown} ({_bytes(row.grown_bytes)}), {units.rate_text(row.grown / row.seconds)}/s"
    if row.allocated is None or row.freed is None:
        return text + "."
    if row.freed == 0 and row.allocated:
        text += f": {_were(row.allocated)} allocated, none was freed"
    elif row.allocated or row.freed:
        text += f": {_were(row.allocated)} allocated, {_were(row.freed)} freed"
    return f"{text}. {row.live} {'is' if row.live == 1 else 'are'} live now ({_bytes(row.live_bytes)})."


def by_stack(change, grown):
    if grown is None:
        if (change.difference(memory.live) or 0) <= 0:
            return []
        pid = change.later.pid
        return [f"Unknown: `spillway ctl {pid} profile start`, and this again, tells what allocates it."]
    if not grown:
        return ["No sampled stack holds more than before."]
    total = sum(size for _, size in grown)
    found = []
    for functions, size in grown[:MAX_STACKS]:
        share = f"{100 * size / total:.0f} %"
        found.append(f"About {_bytes(size)} more ({share} of the growth) by {stacks.words(functions)}.")
    if len(grown) > MAX_STACKS:
        rest = sum(size for _, size in grown[MAX_STACKS:])
        found.append(f"About {_bytes(rest)} more by {_count(len(grown) - MAX_STACKS, 'other stack')}.")
    return found


def of_mimalloc(change):
    grown, held = change.difference(memory.mimalloc_live), change.difference(memory.mimalloc_held)
    blocks = change.difference(lambda snapshot: snapshot.get("mimalloc_live_blocks"))
    found = []
    if grown and grown > 0:
        number = f" ({_signed(blocks)} blocks)" if blocks is not None else ""
        found.append(
            f"They grew by {_bytes(grown)}{number} to {_bytes(memory.mimalloc_live(change.later.snapshot))}, "
            f"{_bytes(grown / change.elapsed)}/s; their sizes are not counted apart."
        )
    elif grown and held:
        found.append(f"They fell by {_bytes(-grown)}.")
    if held and held > 0:
        found.append(
            f"What mimalloc holds for them grew by {_bytes(held)} to "
            f"{_bytes(memory.mimalloc_held(change.later.snapshot))}, free and unused parts included."
        )
    return found


def by_tenant(change):
    found = []
    for one in sorted(tenants.of(change), key=lambda one: -(one.grown_bytes or 0)):
        if one.grown_bytes is None or one.grown_bytes <= 0:
            continue
        text = f"{one.name} grew by {_bytes(one.grown_bytes)} ({_signed(one.grown_blocks)} blocks)"
        text += f" to {_bytes(one.live_bytes)}"
        if one.soft_limit_bytes:
            where = "above" if one.live_bytes > one.soft_limit_bytes else "within"
            text += f", {where} its soft limit of {_bytes(one.soft_limit_bytes)}"
        found.append(f"{text}.")
    return found


def thread_caches(change):
    grown = change.difference(memory.cached)
    if not grown or grown < 0:
        return []
    text = (
        f"Free blocks in thread caches grew by {_bytes(grown)} to "
        f"{_bytes(memory.cached(change.later.snapshot))}"
    )
    budget = change.value("cache_budget_bytes")
    if budget:
        text += f", of at most {_bytes(budget)}"
    text += ": they serve the next allocations and are no leak."
    threads = change.difference(lambda snapshot: snapshot.get("thread_caches"))
    if threads and threads > 0:
        text += f" {_count(threads, 'more thread')} {'has' if threads == 1 else 'have'} a cache."
    return [text]


def free_memory(change):
    grown = change.difference(memory.free_dirty)
    if not grown or grown < 0:
        return []
    live = change.difference(memory.live) or 0
    text = (
        f"Free memory that the process keeps grew by {_bytes(grown)} to "
        f"{_bytes(memory.free_dirty(change.later.snapshot))}"
    )
    purged = change.total("purged_bytes_total")
    if live < 0:
        text += ": what the program freed, or the gaps between live blocks"
    text += ". It serves allocations of any size, and goes back to the kernel when it stays unused"
    text += f"; {_bytes(purged)} went back in this time." if purged else "."
    found = [text]
    if change.total("purges_refused_total"):
        count = change.total("purges_refused_total")
        found.append(f"The kernel refused {_count(count, 'time')} to take memory back.")
    return found


def resident(change):
    """What the kernel counts, and how much of it the figures above explain."""
    grown = _resident_growth(change)
    if grown <= 0:
        return []
    parts = (memory.live, memory.cached, memory.free_dirty)
    known = sum(change.difference(part) or 0 for part in parts)
    text = f"It grew by {_bytes(grown)} to {_bytes(change.later.figures.resident)}."
    rest = grown - max(0, known)
    if rest > grown / 10 and rest >= 1 << 20:
        text += (
            f" {_bytes(rest)} of that is in none of the above: live memory that the program wrote to "
            "for the first time, its stacks, files and own mappings, or free memory of mimalloc."
        )
    return [text]


def _resident_growth(change):
    """0 where it is within the kernel's error."""
    grown = change.later.figures.resident - change.earlier.figures.resident
    return grown if abs(grown) > RESIDENT_ERROR else 0


def _blocks_of(row):
    return KINDS.get(row.name) or f"Blocks of {row.block_size} bytes"


def _signed(number):
    return f"{number:+}" if number else "0"


def _were(number):
    return f"{number} {'was' if number == 1 else 'were'}"


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _bytes(value):
    """With a space that no line breaks at; _filled() makes it a plain one."""
    return units.bytes_text(value).replace(" ", KEPT_SPACE)


def _filled(sentence, indent):
    lines = textwrap.wrap(
        sentence, WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(KEPT_SPACE, " ") for line in lines]
