#!/bin/bash
# SPDX-License-Identifier: MIT
# link.sh ARCHIVE SOURCE NAME STATIC COMPILER...: what a user does. Compiles SOURCE, links it with the archive
# (STATIC: 1 adds -static), checks the program's symbols and needs, and runs it. The name of a C source ends in .c.
set -u
archive=$1 source=$2 name=$3 static=$4 flags=${ARCHIVE_FLAGS-}
shift 4
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
program=$folder/$name
here=$(cd "$(dirname "$0")/.." && pwd)
options=(-O1 -fno-builtin -D_GNU_SOURCE "-I$here/preload" "-I$here/misuse" -pthread)
if [ "$static" = 1 ]; then
  options+=(-static)
  probe=$folder/probe.c
  echo 'int main(void) { return 0; }' >"$probe"
  if ! "$@" -static "$probe" -o "$folder/probe" 2>/dev/null; then
    echo "skipped: there is no static C library"
    exit 77
  fi
fi
# ARCHIVE_FLAGS (environment): what the archive needs beside itself, if anything.
# shellcheck disable=SC2086
if ! "$@" "${options[@]}" "$source" -o "$program" "$archive" $flags 2>"$folder/messages"; then
  echo "does not link:"
  cat "$folder/messages"
  exit 1
fi
failed=0
fail() {
  echo "$1"
  failed=1
}
for symbol in malloc free calloc realloc posix_memalign aligned_alloc malloc_usable_size; do
  nm "$program" | grep -q -E " [TW] $symbol\$" || fail "$symbol is not defined in the program"
done
nm "$program" | grep -q -E ' [TtWw] (_int_malloc|_int_free|ptmalloc_init)$' && fail "libc's own heap is linked in, too"
if [ "$static" = 0 ] && [[ $source = *.c ]]; then
  needed=$(readelf -dW "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
  [ "$needed" = "libc.so.6 " ] || [ -n "$flags" ] || fail "the program needs $needed"
fi
output=$("$program" 2>&1) || fail "the program failed: $output"
[ "$output" = "ours" ] || fail "its output: $output"
off=$(SPILLWAY_ENABLED=0 "$program" 2>&1)
[ "$off" = "not ours" ] || fail "with SPILLWAY_ENABLED=0 its output is: $off"
exit $failed
