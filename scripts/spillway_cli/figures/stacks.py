# SPDX-License-Identifier: MIT
"""What grew by sampled stack, between two heap profiles in pprof's format."""

import collections
import dataclasses

from spillway_cli import pprof, profile, symbols
from spillway_cli.figures.text import printable

BYTES, BLOCKS = "inuse_space", "inuse_objects"
MAX_FRAMES = 4  # innermost ones, in a sentence


def growth(before, after):
    """[(functions from the outermost on, bytes that it holds more)], the most first, of two profiles as
    the process wrote them; of the stacks that grew."""
    before, after = pprof.decode(before), pprof.decode(after)
    changes = collections.Counter()
    for sample in after.samples:
        changes[sample.addresses] += sample.values[BYTES]
    for sample in before.samples:
        changes[sample.addresses] -= sample.values[BYTES]
    changed = tuple(
        pprof.Sample(addresses, {BYTES: amount, BLOCKS: 0})
        for addresses, amount in changes.items()
        if amount != 0
    )
    found = dataclasses.replace(after, samples=changed)  # only their names are looked up
    named = profile.stacks(found, symbols.Symbols(found), BYTES, BLOCKS)
    return [(functions, amount) for functions, amount, _ in named]


def words(functions):
    """The innermost ones, `read_all, called by serve, called by main`."""
    shown = [printable(name) for name in reversed(functions)]
    text = ", called by ".join(shown[:MAX_FRAMES])
    return f"{text}, and so on" if len(shown) > MAX_FRAMES else text
