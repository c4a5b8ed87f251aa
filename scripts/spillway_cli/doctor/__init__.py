# SPDX-License-Identifier: MIT
"""`spillway doctor`: what this machine, and a command, mean for Spillway, before anything is changed.

machine.py, cgroup.py and program.py know facts; trial.py runs the command, looks.py looks at its processes;
results.py and verdict.py judge; report.py gathers, page.py prints.
"""
