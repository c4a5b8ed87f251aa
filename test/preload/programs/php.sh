# php: extensions, JSON, regular expressions, multibyte text, arrays, strings that grow, compression, files, children; with PHP's
# own allocator for small blocks and with malloc for all.
command -v php >/dev/null || { echo "php is not installed"; exit 77; }
php -m | grep -q mbstring || { echo "php has no mbstring"; exit 77; }
php -m
cat >work.php <<'PHP'
<?php
mt_srand(7);
$rows = [];
for ($i = 0; $i < 20000; $i++) {
    $rows[] = ["id" => $i, "name" => "näme " . mt_rand(), "value" => mt_rand() / 3, "tags" => range(0, $i % 7)];
}
$json = json_encode($rows, JSON_UNESCAPED_UNICODE);
echo strlen($json), " ", md5($json), " ", json_decode($json, true) == $rows ? "same" : "not the same", "\n";
usort($rows, fn($a, $b) => strcmp($a["name"], $b["name"]) ?: $a["id"] <=> $b["id"]);
echo $rows[0]["name"], " ", array_sum(array_column($rows, "id")), " ", count(array_unique(array_column($rows, "name"))), "\n";
echo md5(serialize($rows)), " ", unserialize(serialize($rows)) == $rows ? "same" : "not the same", "\n";

echo md5(preg_replace_callback('/(\d+)\.(\d+)/u', fn($m) => "$m[2],$m[1]", $json)), " ",
    preg_match_all('/"name":"(\p{L}+) (\d+)"/u', $json, $matches), " ", md5(implode($matches[2])), "\n";
echo count(preg_split('/[,:{}]+/', $json)), " ", preg_match('/^(a|aa)+$/', str_repeat("a", 5000) . "b"), " ", preg_last_error_msg(), "\n";

$text = str_repeat("Äpfel, ὀπώρα, 果物; ", 20000);
echo mb_strlen($text), " ", md5(mb_strtoupper($text)), " ", md5(mb_convert_encoding($text, "UTF-16", "UTF-8")), " ",
    mb_strpos($text, "果物", 100000), " ", md5(implode(array_reverse(mb_str_split($text)))), "\n";
echo md5(iconv("UTF-8", "UTF-16LE", $text)), " ", strlen(htmlspecialchars($json)), "\n";

$string = "";
for ($i = 0; $i < 200000; $i++) $string .= dechex($i);
$blocks = [];
for ($i = 0; $i < 3000; $i++) {
    $blocks[$i % 251] = str_repeat(chr(65 + $i % 26), (int) 2 ** (4 + mt_rand(0, 1600) / 100));
}
ksort($blocks);
echo md5($string), " ", md5(implode($blocks)), " ", md5(strrev($string)), " ", md5(wordwrap($string, 70, "\n", true)), "\n";
$big = str_repeat("0123456789abcdef", 1 << 19);
echo strlen($big), " ", crc32($big), " ", strlen(gzcompress($big . $json)), " ", gzuncompress(gzcompress($big . $json)) === $big . $json ? "same" : "not the same", "\n";
echo hash("sha256", $big), " ", hash("xxh3", $big), " ", base64_decode(base64_encode($big)) === $big ? "same" : "not the same", "\n";

for ($i = 0; $i < 40; $i++) file_put_contents("file$i", substr($big, 0, 1 << ($i % 21)));
$sizes = array_map("filesize", glob("file*"));
echo array_sum($sizes), " ", md5_file("file39"), " ", count(file("file19")), "\n";
$stream = fopen("php://temp/maxmemory:65536", "w+");
foreach ($rows as $row) fputcsv($stream, [$row["id"], $row["name"], $row["value"]]);
rewind($stream);
for ($lines = 0, $sum = 0; ($row = fgetcsv($stream)) !== false; $lines++) $sum += $row[0];
echo $lines, " ", $sum, "\n";

class Node { public $next; public $load; }
for ($round = 0; $round < 50; $round++) {  // cycles, for the collector
    $first = $last = new Node;
    for ($i = 0; $i < 500; $i++) { $node = new Node; $node->load = str_repeat("x", $i * 20); $last->next = $node; $last = $node; }
    $last->next = $first;
}
unset($first, $last, $node);
echo gc_collect_cycles() > 0 ? "collected" : "nothing", "\n";
echo trim(shell_exec("echo out of a child")), " ", FFI::cdef("size_t strlen(const char*);")->strlen($string), "\n";
foreach ([3, 5] as $status) {
    if (($child = pcntl_fork()) == 0) exit(strlen(str_repeat("y", 1000000 * $status)) / 1000000);
    pcntl_waitpid($child, $code);
    echo "child ", pcntl_wexitstatus($code), "\n";
}
PHP
for own in 1 0; do
  USE_ZEND_ALLOC=$own php -d memory_limit=-1 work.php 2>&1
  USE_ZEND_ALLOC=$own php -d memory_limit=-1 -d opcache.enable_cli=1 work.php 2>&1 | md5sum
done
php -d memory_limit=8M -r '$s = "x"; while (true) $s .= $s;' 2>&1 | tr -d '0-9'; echo "status ${PIPESTATUS[0]}"
php -r 'exit(29);'; echo "status $?"
