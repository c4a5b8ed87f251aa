"""The parts of `scripts/spillway ab`: programs measured under several allocators, interleaved."""

from spillway_cli import paths  # noqa: F401  (which makes the package `report` known)
