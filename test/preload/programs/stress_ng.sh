# stress-ng: two processes of its malloc stressor, with verification of the contents, and one that uses threads.
command -v stress-ng >/dev/null || { echo "stress-ng is not installed"; exit 77; }
stress-ng --malloc 2 --malloc-ops 40000 --malloc-bytes 1M --malloc-max 1024 --verify --timeout 130 >log 2>&1
status=$?
echo "status $status"
grep -i -E 'fail|corrupt|abort|signal' log
stress-ng --malloc 1 --malloc-ops 20000 --malloc-bytes 2M --malloc-max 512 --malloc-pthreads 2 --verify --timeout 130 >log 2>&1
echo "status $?"
grep -i -E 'fail|corrupt|abort|signal' log
[ "$status" = 0 ]
