# SPDX-License-Identifier: MIT
"""How allocators are found and take turns: what `spillway ab`, `spillway replay` and scripts/bench share.

The layers, each knowing those above it alone:
  report      statistics, the noise rule, a report as data, and its views: terminal, Markdown, HTML
  harness     allocators, rounds, progress, commands, what ends them
  sources     a command, a server with its load (spillway_cli/ab), a trace (spillway_cli/replay.py),
              the benchmark programs (bench/runner/suites)
"""
