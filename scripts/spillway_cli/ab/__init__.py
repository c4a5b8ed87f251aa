# SPDX-License-Identifier: MIT
"""The parts of `scripts/spillway ab`: programs measured under several allocators, interleaved."""
