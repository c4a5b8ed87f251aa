// SPDX-License-Identifier: MIT
// A program that leaks: each millisecond serve() keeps a block of 30000 bytes, by keep(), and frees
// one of 50000. Says "ready" and ends with its input.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static void* volatile last;

__attribute__((noinline)) static void keep(void) { last = malloc(30000); }

__attribute__((noinline)) static void serve(void) {
  keep();
  void* const passing = malloc(50000);
  last = passing;
  free(passing);
}

int main(void) {
  puts("ready");
  fflush(stdout);
  struct pollfd input = {.fd = 0, .events = POLLIN};
  while (poll(&input, 1, 1) == 0) {
    serve();
  }
  return 0;
}
