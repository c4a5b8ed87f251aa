// SPDX-License-Identifier: MIT
#include <spillway/spillway.h>

#include <iostream>
#include <vector>

int main() {
  const std::vector<char> block(1 << 16);
  std::cout << (spillway_held_bytes() >= block.size() ? "with\n" : "without\n");
}
