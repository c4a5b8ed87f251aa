# python3: bytes and strings of all sizes, dictionaries, threads, pickling, compression, subprocesses, sorting.
python=/usr/bin/python3
[ -x "$python" ] || { echo "python3 is not installed"; exit 77; }
"$python" - <<'PYTHON'
import collections, hashlib, json, pickle, random, re, subprocess, sys, threading, zlib
r = random.Random(7)
h = hashlib.sha256()
kept = collections.deque(maxlen=200)
for i in range(6000):
    n = int(2 ** r.uniform(4, 21))
    block = bytearray(n)
    block[0] = block[-1] = i & 255
    block.extend(b"x" * (n // 3))
    kept.append(block)
    h.update(block[:: max(1, len(block) // 64)])
print(h.hexdigest())
results = {}
def work(k):
    q = random.Random(k)
    parts = [bytes([k]) * q.randrange(1000, 300000) for _ in range(200)]
    results[k] = hashlib.md5(b"".join(parts)).hexdigest()
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(results.items()))
data = {str(i): [r.random() for _ in range(50)] for i in range(4000)}
text = json.dumps(data)
print(len(text), json.loads(text) == data, pickle.loads(pickle.dumps(data)) == data)
print(len(zlib.compress(text.encode())), zlib.decompress(zlib.compress(text.encode())) == text.encode())
print(len(re.sub(r"(\d)\.(\d)", r"\2,\1", text)))
print(subprocess.run([sys.executable, "-c", "print(len('a' * 10**7))"], capture_output=True).stdout)
sys.exit(0)
PYTHON
"$python" -c 'import sys; sys.exit(23)'; echo "status $?"
