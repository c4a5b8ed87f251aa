#!/bin/bash
# SPDX-License-Identifier: MIT
# dlopen_messages.sh PROGRAM LIBRARY PLUGIN: PROGRAM prints the same with LIBRARY preloaded as without, with and without the flag
# RTLD_DEEPBIND kept.
set -euo pipefail
plain=$("$1" "$3")
[ "$(wc -l <<<"$plain")" -gt 20 ] || { echo "too little: $plain"; exit 1; }
for deepbind in cleared kept; do
  diff <(echo "$plain") <(LD_PRELOAD=$2 SPILLWAY_DEEPBIND=$deepbind "$1" "$3")
done
