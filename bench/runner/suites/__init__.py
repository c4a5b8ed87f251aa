# SPDX-License-Identifier: MIT
"""The suites: one module each, one table of all."""

from runner.suites import (calls, contention, latency, memory, pool, startup, threads, traces)
from runner.suites.base import LENGTHS, Outcome, Suite, SuiteFailed

SUITES = {module.SUITE.name: module.SUITE
          for module in (calls, threads, latency, traces, startup, memory, pool, contention)}


def suite_of(row):
    """The suite whose row it is, by its name."""
    return next((suite for suite in SUITES.values() if suite.owns(row)), None)


__all__ = ("LENGTHS", "SUITES", "Outcome", "Suite", "SuiteFailed", "suite_of")
