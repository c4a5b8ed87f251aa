# SPDX-License-Identifier: MIT
"""The package as a program: scripts/spillway."""

import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from spillway_cli.main import main  # noqa: E402

sys.stdout.reconfigure(errors="replace")  # names of processes may be in any alphabet
sys.exit(main(sys.argv[1:]))
