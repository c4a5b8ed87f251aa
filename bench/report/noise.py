# SPDX-License-Identifier: MIT
"""How noisy the machine was: the same short piece of work, timed between what is measured."""

import math
import statistics
import time

NOISY = 0.05  # a spread above this is worth a warning; quiet machines stay below 0.03
MIN_SAMPLES = 5  # samples that a spread takes
STEPS = 40_000  # two to five milliseconds


class Noise:
    """`noise.sample()` between runs, then `noise.spread()`.

    The work is the processor's alone: no memory, no calls of the system. It shows other programs
    that take the core, a hypervisor that does, and a clock frequency that changes. Each sample is
    preceded by the same work unmeasured, so that a core just woken is not what varies.
    """

    def __init__(self):
        self.samples = []  # seconds

    def sample(self):
        _work()
        start = time.perf_counter()
        _work()
        self.samples.append(time.perf_counter() - start)

    def spread(self):
        """Half the range of the samples' middle half, relative to their median; None with too few."""
        if len(self.samples) < MIN_SAMPLES:
            return None
        low, middle, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (high - low) / 2.0 / middle

    def seconds(self):
        """What the work took, the median; None without a sample."""
        return statistics.median(self.samples) if self.samples else None


def is_noisy(spread):
    return spread is not None and spread > NOISY


def min_difference(spread):
    """The share below which differences in time can't be told, whole percents; 0.0 where it was quiet."""
    return math.ceil(100 * spread) / 100 if is_noisy(spread) else 0.0


def _work():
    value = 1
    for _ in range(STEPS):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
    return value
