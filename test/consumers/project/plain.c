// SPDX-License-Identifier: MIT
// Says whether it runs with Spillway.
#include <stddef.h>
#include <stdio.h>

__attribute__((weak)) int spillway_version(void);

int main(void) {
  puts(&spillway_version != NULL && spillway_version() >= 100 ? "with" : "without");
  return 0;
}
