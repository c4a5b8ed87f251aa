#!/bin/bash
# SPDX-License-Identifier: MIT
# at_secure.sh PROGRAM: a process with AT_SECURE ignores the environment. PROGRAM is `apart`, linked with the allocator (a
# setuid program cannot be preloaded); a copy of it is made setuid for another user, or setgid for another of the caller's groups.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
copy=$folder/secure
if [ "$(id -u)" = 0 ]; then
  install -m 4755 -o nobody "$1" "$copy" || exit 1
else
  group=$(id -G | tr ' ' '\n' | grep -vx "$(id -g)" | head -n 1)
  if [ -z "$group" ]; then
    echo "skipped: neither root nor in a second group, so no setuid or setgid copy can be made"
    exit 77
  fi
  install -m 0755 "$1" "$copy" && chgrp "$group" "$copy" && chmod 2755 "$copy" || exit 1
fi

plain() { env SPILLWAY_ENABLED=0 "$1" 16384 20480; }
if [ "$("$copy" 16384 20480)" != "apart secure" ]; then
  if [[ "$("$copy" 16384 20480)" != *secure ]]; then
    echo "skipped: the file system or the process does not allow setuid"
    exit 77
  fi
  echo "the setuid copy does not use the pool"
  exit 1
fi
failed=0
if [ "$(plain "$1")" != together ]; then
  echo "without setuid: SPILLWAY_ENABLED=0 had no effect"
  failed=1
fi
for options in SPILLWAY_ENABLED=0 SPILLWAY_CONF=enabled:0 SPILLWAY_VERBOSE=1 SPILLWAY_MAX_SISE=1 SPILLWAY_STATS=text \
  SPILLWAY_MIN_SIZE=banana; do
  output=$(env "$options" "$copy" 16384 20480 2>&1)
  if [ "$output" != "apart secure" ]; then
    echo "setuid with $options: '$output'"
    failed=1
  fi
done
target=$folder/statistics
env SPILLWAY_STATS=text SPILLWAY_STATS_FILE="$target" "$copy" 16384 20480 >"$folder/output"
if [ -e "$target" ]; then
  echo "setuid with SPILLWAY_STATS_FILE wrote a file"
  failed=1
fi
exit $failed
