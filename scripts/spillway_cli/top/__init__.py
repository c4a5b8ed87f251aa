# SPDX-License-Identifier: MIT
"""`spillway top`: the page, the keys and the terminal, one per file."""
