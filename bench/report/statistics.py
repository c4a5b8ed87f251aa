# SPDX-License-Identifier: MIT
"""Medians and ratios with a bootstrap confidence interval; ratios are paired by round."""

import dataclasses
import math
import statistics

from report.model import Figure

RESAMPLES = 2000
CONFIDENCE = 0.95
MIN_ROUNDS = 5  # with fewer, no interval: all on one side of 1 would happen too often by chance
RESOLUTION = 1e-6  # what is below counts as equal to it: a ratio is always finite and positive


@dataclasses.dataclass(frozen=True)
class Ratio:
    value: float
    low: float | None = None  # None: too few rounds
    high: float | None = None

    @property
    def is_same(self):
        """Whether the interval leaves it open that there is no difference."""
        return self.low is not None and self.low <= 1.0 <= self.high


def require_numpy():
    """Raises ImportError where numpy is missing: before the work rather than after it."""
    import numpy  # noqa: F401


def median_interval(samples, seed=1):
    """A Figure: the median of a round's values each, drawn with replacement for the interval."""
    if not samples:
        raise ValueError("a median of nothing")
    value = statistics.median(samples)
    if len(samples) < MIN_ROUNDS:
        return Figure(value)
    draws = _Draws(seed)
    return Figure(value, *_middle(draws.medians(samples, draws.rounds(len(samples)))))


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
    value = math.exp(sum(_log_ratio(statistics.median(s), statistics.median(b)) for s, b in pairs)
                     / len(pairs))
    if min(len(samples) for samples, _ in pairs) < MIN_ROUNDS:
        return Ratio(value)
    return Ratio(value, *_middle(_Draws(seed).mean_ratios(pairs)))


def change(now, then, seed=1):
    """Of two runs that have no rounds in common: the ratio of now's to then's median. With two lists
    each, (samples, baseline), which are paired by round, that of their ratios."""
    ratios = [_one_or_pair(run) for run in (now, then)]
    value = math.exp(math.log(ratios[0]) - math.log(ratios[1]))
    if min(len(samples) for run in (now, then) for samples in _lists(run)) < MIN_ROUNDS:
        return Ratio(value)
    draws = _Draws(seed)
    drawn = [draws.ratios(*_lists(run)) for run in (now, then)]
    return Ratio(value, *_middle(drawn[0] / drawn[1]))


def _lists(run):
    return run if isinstance(run, tuple) else (run,)


def _one_or_pair(run):
    medians = [max(statistics.median(samples), RESOLUTION) for samples in _lists(run)]
    return medians[0] / (medians[1] if len(medians) > 1 else 1.0)


def _log_ratio(value, baseline):
    return math.log(max(value, RESOLUTION) / max(baseline, RESOLUTION))


class _Draws:
    """numpy, of Debian's python3-numpy, is loaded where it is needed: most commands draw nothing."""

    def __init__(self, seed):
        import numpy

        self._numpy = numpy
        self._source = numpy.random.default_rng(seed)

    def rounds(self, count):
        return self._source.integers(0, count, (RESAMPLES, count))

    def medians(self, samples, rounds):
        return self._numpy.median(self._numpy.asarray(samples, dtype=float)[rounds], axis=1)

    def ratios(self, samples, baseline=None):
        """Medians of drawn rounds, with a baseline their ratios."""
        rounds = self.rounds(len(samples))
        medians = [self._numpy.maximum(self.medians(values, rounds), RESOLUTION)
                   for values in (samples, baseline) if values is not None]
        return medians[0] if baseline is None else medians[0] / medians[1]

    def mean_ratios(self, pairs):
        logs = 0
        for samples, baseline in pairs:
            logs = logs + self._numpy.log(self.ratios(samples, baseline))
        return self._numpy.exp(logs / len(pairs))


def _middle(drawn):
    """The bounds that CONFIDENCE of the drawn values lie between."""
    drawn = sorted(float(value) for value in drawn)
    tail = (1.0 - CONFIDENCE) / 2.0
    return drawn[int(tail * RESAMPLES)], drawn[int((1.0 - tail) * RESAMPLES) - 1]
