# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the scripts of servers: what they still hold some seconds after their load.

readonly kSecondsAfterLoad=5

# left_after_load PID...: writes the resident KiB of these processes together to the file that
# $LEFT_KIB_FILE names, pages that several of them map shared out among them; nothing without the
# variable, and no wait.
left_after_load() {
  [[ -n ${LEFT_KIB_FILE:-} ]] || return 0
  sleep $kSecondsAfterLoad
  local pid line sum=0
  for pid in "$@"; do
    while read -r line; do
      [[ $line != Pss:* ]] || { line=${line#Pss:} && ((sum += ${line% kB})); }
    done <"/proc/$pid/smaps_rollup"
  done
  echo "$sum" >"$LEFT_KIB_FILE"
}
