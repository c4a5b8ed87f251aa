# node: buffers of all sizes, strings, zlib, crypto, worker threads.
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
cat >program.js <<'SCRIPT'
const crypto = require('crypto'), zlib = require('zlib');
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
function churn(seed) {
  const hash = crypto.createHash('sha256');
  let x = seed;
  const kept = [];
  for (let i = 0; i < 4000; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    const n = 16 + x % (1 << (5 + i % 16));
    const b = i % 2 ? Buffer.alloc(n, i & 255) : Buffer.allocUnsafe(n).fill(i & 127);
    kept[i % 97] = b;
    hash.update(b.subarray(0, 64));
  }
  hash.update(Buffer.concat(kept));
  return hash.digest('hex');
}
if (!isMainThread) {
  parentPort.postMessage(churn(workerData));
} else {
  console.log(churn(1));
  const text = JSON.stringify(Array.from({length: 20000}, (_, i) => ({i, s: 'x'.repeat(i % 50)})));
  console.log(text.length, zlib.gunzipSync(zlib.gzipSync(text)).toString() === text, zlib.deflateSync(text).length);
  console.log(crypto.pbkdf2Sync('a', 'b', 1000, 65536, 'sha1').toString('hex').slice(0, 32));
  Promise.all([2, 3, 4].map((n) => new Promise((done, failed) =>
    new Worker(__filename, {workerData: n}).on('message', done).on('error', failed)))).then((all) => {
    console.log(all.join('\n'));
    process.exitCode = 19;
  });
}
SCRIPT
node program.js; echo "status $?"
node -e 'console.log(Buffer.from("spillway".repeat(100000)).toString("base64").length)'; echo "status $?"
