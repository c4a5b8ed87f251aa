#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS: fuzzes each target for so long, all at once, by scripts/test --fuzz. The corpora
# grow in build/fuzz/corpus; inputs that fail are left in build/fuzz/found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly kTargets=(options engine control trace)
readonly kProgressSeconds=60

scripts/build fuzz "${kTargets[@]/#/fuzz_}"
folder=build/fuzz
mkdir -p "$folder/found" "$folder/logs"
declare -A processes
for target in "${kTargets[@]}"; do
  mkdir -p "$folder/corpus/$target"
  "$folder/fuzz/fuzz_$target" -max_total_time="$1" -max_len=1000 -len_control=0 -timeout=300 \
    -artifact_prefix="$folder/found/$target-" "$folder/corpus/$target" \
    "test/fuzz/corpus/$target" >"$folder/logs/$target" 2>&1 &
  processes[$target]=$!
done
trap 'kill "${processes[@]}" 2>/dev/null' EXIT
# The last line that libFuzzer wrote about each.
say() {
  for target in "${kTargets[@]}"; do
    printf 'fuzz: %s: %s\n' "$target" "$(grep -E '^#|^Done' "$folder/logs/$target" | tail -n 1)"
  done
}
for ((left = $1; left > 0; left -= kProgressSeconds)); do
  sleep "$((left < kProgressSeconds ? left : kProgressSeconds))"
  say
done
status=0
for target in "${kTargets[@]}"; do
  wait "${processes[$target]}" || {
    status=1
    echo "fuzz: $target failed; the input is in $folder/found, and $folder/logs/$target says why:"
    tail -n 30 "$folder/logs/$target"
  }
done
say
exit "$status"
