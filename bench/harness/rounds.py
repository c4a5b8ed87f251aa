# SPDX-License-Identifier: MIT
"""Rounds: in each one every allocator once, in an order that moves on by one from round to round, so that
a slow moment of the machine does not fall on one of them alone."""


def interleaved(count, ready, measure, keep, tell=lambda text: None, between=lambda: None):
    """Up to `count` rounds; each takes what `ready()` then returns, pairs of a name and an item.

    `keep` gets a round's pairs of name and `measure(item)` once the round is whole: figures can be
    paired by round, also after KeyboardInterrupt, which passes through. Without an item the rounds end.
    `tell` and `between` are called before each measurement: the former is for who watches, the latter
    for noise.Noise.sample().
    """
    for number in range(count):
        items = ready()
        if not items:
            return
        turn = number % len(items)
        found = []
        for name, item in items[turn:] + items[:turn]:
            tell(f"round {number + 1} of {count}, {name}")
            between()
            found.append((name, measure(item)))
        keep(found)
