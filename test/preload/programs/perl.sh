# perl: strings that grow, hashes, sorting, regular expressions, fork.
command -v perl >/dev/null || { echo "perl is not installed"; exit 77; }
perl -e '
use strict; use warnings; use Digest::MD5 qw(md5_hex);
my %h; my $s = "";
for my $i (1 .. 60000) { $h{$i * 7 % 9973} .= chr(65 + $i % 26); $s .= sprintf("%x", $i); }
print length($s), " ", md5_hex($s), "\n";
print md5_hex(join(",", map { "$_=$h{$_}" } sort { $a <=> $b } keys %h)), "\n";
(my $t = $s) =~ s/([0-9])([a-f])/$2$1/g;
print length($t), " ", md5_hex($t), "\n";
my @blocks = map { "x" x (4096 + $_ * 977) } 1 .. 800;
print length(join("", @blocks)), "\n";
splice(@blocks, $_ % @blocks, 1) for 1 .. 400;
print length(join("", reverse @blocks)), "\n";
my $sum = 0;
for my $c (1 .. 5) { my $pid = fork(); if (!$pid) { my $b = "y" x 500000; exit(length($b) / 100000 + $c); } waitpid($pid, 0); $sum += $? >> 8; }
print "children $sum\n";
'
perl -e 'exit 41'; echo "status $?"
