# redis-server over a unix socket: values of all sizes set, read, appended, deleted; a background save; shutdown.
# Debian keeps the server's program in redis-tools, under another name, which is what it goes by.
program=$(command -v redis-server || command -v redis-check-rdb) && command -v redis-cli >/dev/null \
  || { echo "redis is not installed"; exit 77; }
(exec -a redis-server "$program" --port 0 --unixsocket "$PWD/s" --save '' --dir "$PWD" \
  --logfile "$PWD/log" --daemonize no) &
server=$!
cli() { redis-cli -s "$PWD/s" "$@"; }
for i in $(seq 1 2000); do cli ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
cli ping
for n in 1 100 4000 4096 5000 16384 65536 100000 262144 1000000 1048577 5000000; do
  head -c "$n" /dev/zero | tr '\0' v | cli -x set "key$n"
  cli append "key$n" "$(printf '%03000d' "$n")"
  cli getrange "key$n" $((n - 1)) $((n + 5))
  cli get "key$n" | cksum
done
{ for i in $(seq 1 8000); do echo "set k$i $(printf "%0$((i % 3000 + 1))d" "$i")"; done; } | cli | sort | uniq -c
{ for i in $(seq 1 3 8000); do echo "del k$i"; done; } | cli | sort | uniq -c
cli eval 'local t = 0; for i = 1, 8000 do local v = redis.call("get", "k" .. i); if v then t = t + #v end end; return t' 0
cli bgsave >/dev/null
for i in $(seq 1 2000); do cli info persistence | grep -q 'rdb_bgsave_in_progress:0' && break; sleep 0.05; done
cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status
cli dbsize
cli flushall
cli dbsize
cli shutdown nosave
wait $server; echo "status $?"
