#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS: all of the torture, by scripts/test --torture. A part that fails does not stop the
# next; exit status 1 then.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly kForks=100000
readonly kOptions=('' enabled:0 purge_delay:0,purge_thread:0 limit:8M,purge_thread:0,cache_budget:0
  purge_delay:1,thp:always reserve:16M hardened:1)

scripts/build release spillway_preload spillway_info torture_fork_walk torture_fork_everywhere \
  torture_stress torture_out_of_memory || exit
library=$PWD/build/release/libspillway.so
programs=$PWD/build/release/torture
status=0
# Not a failure: what the machine does not allow.
readonly kSkipped=77
part() {
  echo "torture: $1"
  shift
  "$@"
  local result=$?
  ((result == 0 || result == kSkipped)) || status=1
}
part "forks at each instruction" "$programs/fork_everywhere" "$library" "$programs/fork_walk" \
  full "$kForks" "${kOptions[@]}"
part "refused system calls" test/torture/faults.py "$library" "$programs/out_of_memory" full
part "stress for $1 seconds" test/torture/stress.py "$library" "$programs/stress" \
  build/release/spillway_info "$1"
exit "$status"
