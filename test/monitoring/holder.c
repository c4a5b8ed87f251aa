// SPDX-License-Identifier: MIT
// holder COUNT [fork]: holds COUNT blocks of 300000 bytes, says so, and ends when its input does.
// With `fork` a child does, too: it says so, and works on until its input ends.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int input_has_ended(int milliseconds) {
  struct pollfd input = {.fd = 0, .events = POLLIN, .revents = 0};
  return poll(&input, 1, milliseconds) == 1;
}

static int hold(long count) {
  for (long i = 0; i < count; i++) {
    char* block = malloc(300000);
    if (block == NULL) {
      return 1;
    }
    memset(block, 1, 300000);
  }
  printf("%d\n", (int)getpid());
  fflush(stdout);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2 || hold(strtol(argv[1], NULL, 10)) != 0) {
    return 2;
  }
  if (argc > 2 && strcmp(argv[2], "fork") == 0) {
    poll(NULL, 0, 5);  // later, by statistics that count milliseconds
    const pid_t child = fork();
    if (child == 0) {
      printf("%d\n", (int)getpid());
      fflush(stdout);
      while (!input_has_ended(10)) {
        free(malloc(3000000));  // a slow path
      }
      return 0;
    }
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  }
  while (!input_has_ended(-1)) {
  }
  return 0;
}
