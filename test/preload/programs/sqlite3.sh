# sqlite3: blobs from 1 byte to 2 MiB, indexes, a join, a recursive query, vacuum, an integrity check.
command -v sqlite3 >/dev/null || { echo "sqlite3 is not installed"; exit 77; }
sqlite3 base.db <<'SQL'
PRAGMA cache_size = 4000;
CREATE TABLE b (id INTEGER PRIMARY KEY, size INTEGER, data BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
  INSERT INTO b SELECT i, (i * i * 13) % 300000 + 1, zeroblob((i * i * 13) % 300000 + 1) FROM n;
INSERT INTO b VALUES (1000, 2097152, zeroblob(2097152));
UPDATE b SET data = CAST(replace(hex(zeroblob(size / 4 + 1)), '0', char(65 + id % 26)) AS BLOB) WHERE id % 3 = 0;
SELECT count(*), sum(length(data)), sum(size) FROM b;
SELECT id, length(data), hex(substr(data, -3)) FROM b WHERE id % 37 = 0 ORDER BY length(data);
CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
  SELECT i, i * 7919 % 10007 AS k, printf('%010d-%s', i * 31 % 65537, hex(i)) AS s FROM n;
CREATE INDEX t_k ON t (k, s);
SELECT count(*), sum(x.k), max(x.s), min(y.s) FROM t x JOIN t y ON x.k = y.k AND x.i < y.i;
SELECT length(group_concat(s, '')) FROM (SELECT s FROM t ORDER BY s LIMIT 40000);
DELETE FROM b WHERE id % 2 = 0;
VACUUM;
PRAGMA integrity_check;
SQL
echo "status $?"
sqlite3 base.db 'SELECT * FROM nothing' 2>&1; echo "status $?"
