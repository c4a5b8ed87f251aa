#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""manual.py VERSION FOLDER INFO...: spillway.1 from the command line's parsers, spillway.3 and spillway_pool.3
from the headers spillway.h and pool_c.h, spillway.7 from the table of options that the program spillway_info prints, which INFO runs;
and spillway.bash, which completes the first."""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from spillway_cli.main import make_parser  # noqa: E402

HEADERS = {"spillway.h": "spillway.h", "pool.h": "pool_c.h"}  # the second is the first, in C
# At the start of a line: a struct or an enum, a function, a type.
DECLARATION = r"(?:struct|enum)[^;{}]*\{.*?^\};|(?:SPILLWAY_FUNCTION|SPILLWAY_POOL_API|typedef|struct)\b[^;{]*;"
NAME = "a memory allocator for blocks of 4 KiB and more"


def roff(text):
    """`text` as roff: nothing in it is a request, a minus is a minus."""
    lines = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)


def title(page, section, version):
    return [f'.TH {page.upper()} {section} "" "Spillway {version}" "Spillway"', ".SH NAME"]


def shown(text, parser):
    """The help of an option, as argparse would print it."""
    return roff((text or "") % {"prog": parser.prog} if "%" in (text or "") else text or "")


def _sentence(text):
    return text[:1].upper() + text[1:] + "."


def actions(parser):
    return [a for a in parser._actions if not isinstance(a, (argparse._HelpAction, argparse._SubParsersAction))]


def how(action):
    """`--lib PATH`, or the name of an argument without dashes."""
    value = action.metavar
    if isinstance(value, tuple):
        value = " ".join(value)
    elif not value and action.nargs != 0:
        value = (action.dest or "").upper()
    if not action.option_strings:
        return f"\\fI{roff(value)}\\fR"
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in action.option_strings)
    return f"{names} \\fI{roff(value)}\\fR" if value and action.nargs != 0 else names


def commands(version):
    parser, subcommands = make_parser()
    summaries = {a.dest: a.help for group in parser._actions if isinstance(group, argparse._SubParsersAction)
                 for a in group._choices_actions}  # fmt: skip
    lines = [*title("spillway", 1, version), f"spillway \\- {roff('runs programs under Spillway, ' + NAME)}"]
    lines += [".SH SYNOPSIS", ".B spillway", "\\fISUBCOMMAND\\fR [\\fIOPTION\\fR]... [\\-\\- \\fICOMMAND\\fR...]"]
    lines += [".SH DESCRIPTION", roff(parser.description)]
    for action in actions(parser):
        lines += [".TP", how(action), shown(action.help, parser)]
    for name, sub in subcommands.items():
        lines += [f'.SH "SPILLWAY {name.upper()}"', _sentence(roff(summaries.get(name) or name))]
        lines += [".PP", roff(sub.format_usage().removeprefix("usage: "))]
        if sub.description:
            lines += [".PP", shown(sub.description, sub)]
        for action in actions(sub):
            lines += [".TP", how(action), shown(action.help, sub)]
        if sub.epilog:
            lines += [".PP", ".nf", *(roff(line) if not line[:1].isspace() else
                                      "  " + roff(line) for line in sub.epilog.splitlines()), ".fi"]  # fmt: skip
    lines += [".SH SEE ALSO", ".BR spillway (3),", ".BR spillway (7)"]
    return "\n".join(lines) + "\n"


def functions(page, name, purpose, version):
    """Section 3: what the header spillway/NAME declares, with its comments."""
    header = (ROOT / "alloc" / "include" / "spillway" / HEADERS[name]).read_text(encoding="utf-8")
    header = header.removeprefix("/* SPDX-License-Identifier: MIT */\n")
    found = []  # (comment, declarations that it is about)
    for piece in re.finditer(rf"^/\*(.*?)\*/$|^({DECLARATION})", header, re.M | re.S):
        if piece[1] is not None:
            found.append((piece[1], []))
        else:
            found[-1][1].append(re.sub(r"SPILLWAY_(FUNCTION|POOL_API|POOL_UNSIGNED) ", "", piece[2]))
    (opening, _), *found = found
    lines = [*title(page, 3, version), f"{page} \\- {roff(purpose)}"]
    lines += [".SH SYNOPSIS", f".B #include <spillway/{name}>", ".PP"]
    for declaration in (one for _, declarations in found for one in declarations):
        if "{" not in declaration:
            lines += _as_it_is(re.sub(r"\n *", "\n    ", declaration), "B")
    lines += [".SH DESCRIPTION", *_paragraphs(opening, ".PP")]
    for comment, declarations in found:
        if declarations:
            lines += [".TP", ", ".join(map(_bold_name, declarations)), *_paragraphs(comment, ".IP")]
        for declaration in declarations:
            lines += [".IP", *_as_it_is(declaration)] if "{" in declaration else []
    lines += [".SH SEE ALSO", ".BR spillway (1),", ".BR spillway (7)"]
    return "\n".join(lines) + "\n"


def _bold_name(declaration):
    """What a paragraph is about: `struct NAME`, the name of a type, or `NAME()`."""
    kind = re.match(r"((?:struct|enum) \w+)(?: \{|;)", declaration)
    callback = re.match(r"typedef .*?\(\*(\w+)\)", declaration)
    if kind or callback:
        return f"\\fB{(kind or callback)[1]}\\fR"
    function = re.search(r"(\w+)\(", declaration)[1]
    return f"\\fB{function}\\fR()"


def _as_it_is(text, font="R"):
    """Each line on its own, with its indentation."""
    indented = (re.match(r"( *)(.*)", line).groups() for line in text.splitlines())
    return [".nf", *(f"\\f{font}\\&{spaces}{roff(rest)}\\fR" for spaces, rest in indented), ".fi"]


def _paragraphs(comment, request):
    """The comment's paragraphs, divided by `request`; indented ones are code."""
    text = re.sub(r"^ \*", "", comment, flags=re.M)
    lines = []
    for part in filter(str.strip, re.split(r"\n\s*\n", text)):
        code = all(line.startswith("   ") for line in part.splitlines())
        lines += [request] if lines else []
        lines += _as_it_is(part) if code else [roff(part)]
    return lines


def options(info, version):
    table = subprocess.run([*info, "options"], capture_output=True, text=True, check=True).stdout
    lines = [*title("spillway", 7, version), f"spillway \\- {roff(NAME)}"]
    lines += [".SH DESCRIPTION", roff(
        "libspillway.so, in LD_PRELOAD, and libspillway.a, linked with a program, replace malloc and operator "
        "new. Requests of 4 KiB to 64 MiB are served from one pool for all sizes, others by mimalloc, which is "
        "built in. spillway run does the preloading.")]  # fmt: skip
    lines += [".SH OPTIONS", roff(
        "Set one by the environment variable SPILLWAY_NAME, several by SPILLWAY_CONF=name:value,name:value. "
        "Bytes may end in K, M or G.")]  # fmt: skip
    for row in table.splitlines():
        name, kind, default, bounds, text = row.split("\t")
        lines += [".TP", f"\\fB{roff(name)}\\fR ({roff(kind)}, {roff(default)})"]
        lines += [f"{roff(text)}. Values: {roff(bounds)}."]
    lines += [".SH SEE ALSO", ".BR spillway (1)"]
    return "\n".join(lines) + "\n"


def completion():
    """For bash: subcommands, their options, then, after --, commands and files."""
    parser, subcommands = make_parser()
    cases = []
    for name, sub in subcommands.items():
        words = " ".join(word for action in sub._actions for word in action.option_strings)
        cases.append(f'    {name}) words="{words}" ;;')
    own = " ".join([*subcommands, *(word for action in parser._actions for word in action.option_strings)])
    return f"""# Completes the command spillway in bash.
_spillway() {{
  local words="{own}" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [[ ${{COMP_WORDS[at]}} == -- ]]; then
      mapfile -t COMPREPLY < <(compgen -c -f -- "$2")
      return
    fi
  done
  ((COMP_CWORD == 1)) || case ${{COMP_WORDS[1]}} in
{chr(10).join(cases)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}}
complete -o default -F _spillway spillway
"""


def main():
    version, folder, info = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spillway.1").write_text(commands(version), encoding="utf-8")
    for page, name, purpose in (
        ("spillway", "spillway.h", "asks Spillway from inside a program"),
        ("spillway_pool", "pool.h", "a pool of buffers, counted by tenant, for C"),
    ):
        (folder / f"{page}.3").write_text(functions(page, name, purpose, version), encoding="utf-8")
    (folder / "spillway.7").write_text(options(info, version), encoding="utf-8")
    (folder / "spillway.bash").write_text(completion(), encoding="utf-8")


main()
