# SPDX-License-Identifier: MIT
"""Readings of a running process, what changed between two of them, and how figures are written."""
