#!/bin/bash
# SPDX-License-Identifier: MIT
# provided.sh PROGRAM LIBRARY EXPORTS: runs PROGRAM under LIBRARY with the exported names on its standard input.
LD_PRELOAD=$2 exec "$1" "$2" <"$3"
