#!/bin/bash
# SPDX-License-Identifier: MIT
# exports.sh LIBRARY: libspillway_pool.so exports names of Spillway alone, under its own version.
others=$(nm -DC --defined-only "$1" | awk '$2 != "A"' | grep -v ' spillway::') && {
  echo "exported, and not Spillway's:"
  echo "$others"
  exit 1
}
nm -DC --defined-only "$1" | grep -q ' spillway::Pool::alloc(.*@@SPILLWAY_POOL_' || {
  echo "spillway::Pool::alloc has no version"
  exit 1
}
