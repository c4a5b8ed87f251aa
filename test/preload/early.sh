#!/bin/bash
# SPDX-License-Identifier: MIT
# early.sh PROGRAM LIBRARY OTHER: PROGRAM under LIBRARY alone, and with the library OTHER preloaded before and after it.
set -e
LD_PRELOAD=$2 "$1"
LD_PRELOAD="$3 $2" "$1"
LD_PRELOAD="$2 $3" "$1"
LD_PRELOAD="$3 $2" /bin/true
