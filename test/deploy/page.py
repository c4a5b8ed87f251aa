# SPDX-License-Identifier: MIT
"""The blocks of code in alloc/docs/DEPLOY.md."""
import re

import root

TEXT = (root.CHECKOUT / "alloc/docs/DEPLOY.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(heading):
    """Blocks below this heading that are not one of scripts/deploy's files; no heading: those above the first."""
    above, *sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    section = next((one for one in sections if one.startswith(f"{heading}\n")), None) if heading else above
    return [block for block in BLOCK.findall(section) if block not in files().values()]


def files():
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(root.DEPLOY.iterdir())}
