# SPDX-License-Identifier: MIT
"""The parser of the command line: a mistake is one line, which says what to write instead."""

import argparse
import shlex

from spillway_cli.errors import usage_error


class Parser(argparse.ArgumentParser):
    def error(self, message):
        words = self.prog.split()[1:]
        raise usage_error(": ".join([*words, message]))


def with_dashes(own, options):
    """`own`, the words of a subcommand whose command has no `--` before it, as they should be; None
    when there is no command in them. `options`: the parser's actions."""
    known = {name: action for action in options for name in action.option_strings}
    index = 1
    while index < len(own):
        action = known.get(own[index].partition("=")[0])
        if not own[index].startswith("-"):
            return shlex.join(["spillway", *own[:index], "--", *own[index:]])
        takes_value = action is not None and action.nargs != 0 and "=" not in own[index]
        values = action.nargs if takes_value and isinstance(action.nargs, int) else 1
        if takes_value and action.nargs == "?":  # what is none of its choices is the command
            takes_value = index + 1 < len(own) and own[index + 1] in (action.choices or ())
        index += 1 + values if takes_value else 1
    return None
