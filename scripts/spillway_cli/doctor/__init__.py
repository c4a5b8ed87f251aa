# SPDX-License-Identifier: MIT
"""`spillway doctor`: what this machine, and a command, mean for Spillway, before anything is changed.

machine.py and program.py know facts, trial.py runs the command, verdict.py judges what it did, page.py prints.
"""
