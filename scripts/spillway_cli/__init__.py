# SPDX-License-Identifier: MIT
"""The parts of `scripts/spillway`: one subcommand or one tool of theirs per file."""

from spillway_cli import paths  # noqa: F401  (which makes the package `report` known)
