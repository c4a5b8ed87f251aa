# bash: arithmetic, associative arrays, long strings, here-documents, subshells, pipes, jobs, regular expressions.
declare -A count
for ((i = 0; i < 3000; i++)); do
  key=$((i * 7919 % 101))
  count[$key]=$((${count[$key]:-0} + i))
done
for key in $(printf '%s\n' "${!count[@]}" | sort -n); do printf '%s=%s ' "$key" "${count[$key]}"; done
echo
text=$(printf '%060000d' 7)
echo "${#text} ${text: -3}" "$(md5sum <<<"$text")"
text=${text//0/abcdefgh}
echo "${#text}" "$(cksum <<<"$text")"
seq 1 20000 | while read -r n; do [[ $n =~ ^(1*)2+$ ]] && echo "match $n"; done
for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; exit "$i") & done
total=0
for job in $(jobs -p); do wait "$job"; total=$((total + $?)); done
echo "jobs $total"
mapfile -t lines < <(seq 1 50000)
echo "${#lines[@]} ${lines[49999]}"
bash -c 'exit 37'; echo "status $?"
