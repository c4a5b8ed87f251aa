// SPDX-License-Identifier: MIT
// bench_contention where its interpreter does not run.
#include <cstdio>

int main() {
  std::fputs("bench_contention: counts instructions of x86-64 Linux only\n", stderr);
  return 77;
}
