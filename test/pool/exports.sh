#!/bin/bash
# SPDX-License-Identifier: MIT
# exports.sh LIBRARY HEADER PROGRAM: libspillway_pool.so exports names of Spillway alone, each under
# its own version. Those of C++ are in the inline namespace of that version, and so are those that
# PROGRAM has of the headers. Those of C are exactly the ones that the C header declares.
set -euo pipefail
version=$(readelf -d "$1" | sed -nE 's/.*soname: \[libspillway_pool\.so\.(.*)\]/\1/p')
namespace="v${version//./_}(_std_expected)?::"
# Types of which programs know only that they exist.
opaque='spillway::pool::(Block|Core|TenantRecord)\b'

refuse() { # what the names are, and the names
  [[ -z $2 ]] || {
    printf '%s:\n%s\n' "$1" "$2"
    exit 1
  }
}
# The lines with a name of Spillway's that is in no namespace of the version.
without_namespace() { sed -E "s/$opaque/_/g" | grep -P "spillway::(?!(pool::)?$namespace)" || true; }

exported=$(nm -DC --defined-only "$1" | awk '$2 != "A" {$1 = $2 = ""; print}' | sed 's/^ *//')
in_cxx=$(grep -E "^((vtable|typeinfo|typeinfo name) for )?spillway::" <<<"$exported")
others=$(grep -vE "^((vtable|typeinfo|typeinfo name) for )?spillway::|^spillway_pool_" <<<"$exported" || true)
refuse "exported, and not Spillway's" "$others"
refuse "without the version SPILLWAY_POOL_$version" \
  "$(grep -vE "@@SPILLWAY_POOL_${version//./\\.}\$" <<<"$in_cxx" || true)"
refuse 'exported outside of the inline namespace' "$(without_namespace <<<"$in_cxx")"

used=$(nm -C --defined-only "$3" | sed -E 's/^[^ ]* . //')
for name in PoolAllocator pool::.*BlockSource pool::.*store; do
  grep -qE "spillway::.*$name" <<<"$used" || refuse "the program has no name" "$name"
done
refuse 'in headers, outside of the inline namespace' "$(without_namespace <<<"$used")"

declared=$(tr '\n' ' ' <"$2" | grep -oE 'SPILLWAY_POOL_API [^;(]*\(' | grep -oE 'spillway_pool_[a-z_]+\($' |
  sed 's/($/@@SPILLWAY_POOL_C_1/' | sort)
# Name and version of each; a difference is shown.
diff <(printf '%s\n' "$declared") <(grep '^spillway_pool_' <<<"$exported" | sort)
