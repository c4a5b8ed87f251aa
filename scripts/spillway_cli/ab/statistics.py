"""Medians and ratios with a bootstrap confidence interval, paired by round."""

import dataclasses
import math
import random
import statistics

RESAMPLES = 2000
CONFIDENCE = 0.95
FEWEST_ROUNDS = 5  # with fewer, no interval: all on one side of 1 would happen too often by chance


@dataclasses.dataclass(frozen=True)
class Ratio:
    value: float
    low: float | None = None  # None: too few rounds
    high: float | None = None

    @property
    def is_same(self):
        """Whether the interval leaves it open that there is no difference."""
        return self.low is not None and self.low <= 1.0 <= self.high


def paired_ratio(samples, baseline, seed=1):
    """Ratio of the medians; rounds, pairs of values, are drawn with replacement. Same seed, same result."""
    return geometric_mean_ratio([(samples, baseline)], seed)


def geometric_mean_ratio(pairs, seed=1):
    """The geometric mean over programs of each one's ratio; `pairs` holds (samples, baseline) of each."""
    for samples, baseline in pairs:
        if len(samples) != len(baseline) or not samples:
            raise ValueError("a round's values come in pairs")
        if min(min(samples), min(baseline)) < 0:
            raise ValueError("a time is never negative")
    value = _mean_of_ratios(pairs)
    if min(len(samples) for samples, _ in pairs) < FEWEST_ROUNDS:
        return Ratio(value)
    source = random.Random(seed)
    drawn = []
    for _ in range(RESAMPLES):
        resampled = []
        for samples, baseline in pairs:
            rounds = source.choices(range(len(samples)), k=len(samples))
            resampled.append(([samples[i] for i in rounds], [baseline[i] for i in rounds]))
        drawn.append(_mean_of_ratios(resampled))
    drawn.sort()
    tail = (1.0 - CONFIDENCE) / 2.0
    return Ratio(value, drawn[int(tail * RESAMPLES)], drawn[int((1.0 - tail) * RESAMPLES) - 1])


def _mean_of_ratios(pairs):
    logs = [math.log(_ratio(statistics.median(s), statistics.median(b))) for s, b in pairs]
    return math.exp(sum(logs) / len(logs))


def _ratio(value, baseline):
    """Times below the clock's resolution count as equal to it: a ratio is always finite and positive."""
    resolution = 1e-6
    return max(value, resolution) / max(baseline, resolution)
