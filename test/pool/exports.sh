#!/bin/bash
# SPDX-License-Identifier: MIT
# exports.sh LIBRARY HEADER: libspillway_pool.so exports names of Spillway alone, each under its own
# version, and in the inline namespace of it; of C's, which begin with spillway_pool_, exactly those that the header declares.
set -euo pipefail
exported=$(nm -DC --defined-only "$1" | awk '$2 != "A" {$1 = $2 = ""; print}')
others=$(grep -Ev '^ +(spillway::|spillway_pool_)|^ +(vtable|typeinfo).* for spillway::' <<<"$exported") && {
  echo "exported, and not Spillway's:"
  echo "$others"
  exit 1
}
version=$(readelf -d "$1" | sed -nE 's/.*soname: \[libspillway_pool\.so\.(.*)\]/\1/p')
name="spillway::v${version//./_}(_std_expected)?::Pool::alloc\(.*@@SPILLWAY_POOL_$version\$"
grep -qE "^ *$name" <<<"$exported" || {
  echo "no symbol $name"
  exit 1
}
declared=$(tr '\n' ' ' <"$2" | grep -oE 'SPILLWAY_POOL_API [^;(]*\(' | grep -oE 'spillway_pool_[a-z_]+\($' |
  sed 's/($/@@SPILLWAY_POOL_C_1/' | sort)
# Name and version of each; a difference is shown.
diff <(printf '%s\n' "$declared") <(sed -n 's/^ *\(spillway_pool_.*\)$/\1/p' <<<"$exported" | sort)
