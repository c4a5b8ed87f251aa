# SPDX-License-Identifier: MIT
"""One line of what the doctor finds."""

import dataclasses

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclasses.dataclass(frozen=True)
class Finding:
    mark: str  # OK, NOTE: works, but know this; PROBLEM: Spillway does not serve the program
    topic: str  # one or two words, the same in each run
    text: str  # the fact and what it means; one sentence without its full stop
    action: str = ""  # what to do; one sentence without its full stop


def ok(topic, text):
    return Finding(OK, topic, text)


def note(topic, text, action=""):
    return Finding(NOTE, topic, text, action)


def problem(topic, text, action):
    return Finding(PROBLEM, topic, text, action)
