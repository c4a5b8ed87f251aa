#!/bin/bash
# SPDX-License-Identifier: MIT
# notices.sh HAVE_MIMALLOC LIBRARY...: each library, stripped, holds the text of its licence; those of
# malloc with mimalloc compiled in (HAVE_MIMALLOC is 1) hold mimalloc's.
set -u
have_mimalloc=$1
shift
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
for library; do
  copy=$folder/$(basename "$library")
  cp "$library" "$copy" && strip --strip-unneeded "$copy" || exit 1
  wanted=('Copyright (c) .* The Spillway authors' 'Permission is hereby granted, free of charge')
  [[ $library == *pool* || $have_mimalloc != 1 ]] || wanted+=('Copyright (c) .* Daan Leijen')
  for text in "${wanted[@]}"; do
    if ! strings "$copy" | grep -q "$text"; then
      echo "$library: no '$text'"
      failed=1
    fi
  done
done
exit $failed
