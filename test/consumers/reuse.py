#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""reuse.py BUILD COMPILER ARGUMENT...: a compiler launcher that takes objects from another build.

An object that BUILD made of the same source with the same arguments is copied; warnings and the
names of build folders do not count. Whatever else is to be compiled is.
"""
import json
import os
import pathlib
import shutil
import sys


def essence(arguments, build):
    """What decides about an object: the arguments without the compiler, warnings and file names."""
    kept, skip = [], False
    for word in arguments[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif not word.startswith(("-W", "-MD", "-MMD")) or word.startswith("-Wl"):
            kept.append(word.replace(str(build), "BUILD"))
    return kept


def main():
    build, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    own = pathlib.Path(os.environ["CONSUMER_BUILD"]) / "spillway"
    wanted = essence(command, own)
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        words = entry["command"].split()
        if entry["file"] in command and essence(words, build) == wanted:
            target = command[command.index("-o") + 1]
            shutil.copyfile(build / words[words.index("-o") + 1], target)
            if "-MF" in command:
                dependencies = pathlib.Path(command[command.index("-MF") + 1])
                dependencies.write_text(f"{target}: {entry['file']}\n", encoding="utf-8")
            return
    os.execvp(command[0], command)


main()
