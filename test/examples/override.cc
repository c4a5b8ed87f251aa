// SPDX-License-Identifier: MIT
// A program that is linked with Spillway: malloc and operator new are its own. It asks how
// much memory is held, and gives free memory back to the kernel.
#include <spillway/spillway.h>

#include <cstdio>
#include <vector>

int main() {
  { const std::vector<char> block(1 << 20, 'x'); }
  const uint64_t before = spillway_held_bytes();
  spillway_purge();
  const uint64_t after = spillway_held_bytes();
  std::printf("version %d, %s\n", spillway_version(), after < before ? "purged" : "nothing purged");
  return 0;
}
