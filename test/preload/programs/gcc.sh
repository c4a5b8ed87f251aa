# gcc and g++: compile, link and run; the program's output and the compiler's messages for wrong input.
command -v gcc >/dev/null && command -v g++ >/dev/null || { echo "gcc or g++ is not installed"; exit 77; }
cat >program.cc <<'SOURCE'
#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>
#include <string>
#include <vector>
int main() {
  std::map<std::string, std::vector<int>> m;
  for (int i = 0; i < 50000; i++) m[std::to_string(i % 700)].push_back(i);
  long sum = 0;
  for (auto& [k, v] : m) {
    std::sort(v.begin(), v.end(), [](int a, int b) { return a % 10 < b % 10 || (a % 10 == b % 10 && a < b); });
    sum = (sum * 31 + v[v.size() / 2]) % 1000003;
  }
  std::printf("%ld %d\n", sum, std::regex_match("spillway-42", std::regex("[a-z]+-(\\d+)")));
}
SOURCE
g++ -std=c++20 -O2 -Wall program.cc -o program && ./program
echo "status $?"
cat >wrong.c <<'SOURCE'
int main(void) { return undeclared + missing(; }
SOURCE
gcc -c wrong.c 2>&1; echo "status $?"
{ for i in $(seq 1 400); do echo "int f$i(int x) { int a[$i]; for (int i = 0; i < $i; i++) a[i] = x * i + $i; return a[x % $i]; }"; done; } >many.c
gcc -O2 -c many.c -o many.o && nm many.o | cksum && objdump -d many.o | cksum
