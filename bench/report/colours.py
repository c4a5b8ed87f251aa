# SPDX-License-Identifier: MIT
"""Which allocator has which colour and mark, in light and in dark; the same on a whole page.

The colours can be told apart with any common colour blindness; marks say the same again.
Plots are drawn with stand-ins that svg.py replaces by variables of the page's style sheet.
"""

import dataclasses

SUBJECT = ("#c2410c", "#ff8f50")  # light, dark
BASELINE = ("#5b6472", "#a3adba")
OTHERS = (
    ("#0a68b0", "#5cb3f5"),
    ("#00805c", "#35c99b"),
    ("#a63d86", "#e892c8"),
    ("#857000", "#dccb4a"),
    ("#5a4fc4", "#a9a2ff"),
    ("#0b7f8c", "#4fd0dd"),
)
MARKS = ("s", "^", "D", "v", "P", "X")

TEXT, GRID, PAPER = "#000101", "#000102", "#000103"  # stand-ins
VARIABLES = {TEXT: "currentColor", GRID: "var(--grid)", PAPER: "var(--paper)"}


@dataclasses.dataclass(frozen=True)
class Look:
    colour: str  # a stand-in
    mark: str
    strong: bool


class Colours:
    def __init__(self, names, subject, baseline):
        self.looks, self._values = {}, []
        others = [name for name in names if name not in (subject, baseline)]
        for index, name in enumerate(names):
            stand_in = f"#0002{index:02x}"
            if name == subject:
                self._add(name, Look(stand_in, "o", True), SUBJECT)
            elif name == baseline:
                self._add(name, Look(stand_in, "|", False), BASELINE)
            else:
                at = others.index(name)
                look = Look(stand_in, MARKS[at % len(MARKS)], False)
                self._add(name, look, OTHERS[at % len(OTHERS)])

    def _add(self, name, look, values):
        self.looks[name] = look
        self._values.append(values)

    def variables(self):
        """{stand-in: what takes its place in the page}"""
        ours = {look.colour: f"var(--a{i})" for i, look in enumerate(self.looks.values())}
        return VARIABLES | ours

    def name_of_variable(self, name):
        return f"--a{list(self.looks).index(name)}"

    def css(self, dark):
        return " ".join(f"--a{i}: {values[dark]};" for i, values in enumerate(self._values))
