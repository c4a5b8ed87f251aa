# SPDX-License-Identifier: MIT
"""SIGTERM and SIGHUP as Ctrl-C: commands that are measured have sessions of their own, and would live on."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what asks a program to end


def like_ctrl_c():
    """Lets them raise KeyboardInterrupt. One that this process ignores, as below nohup, stays ignored."""
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
