// SPDX-License-Identifier: MIT
// A check of a forked child, which sees only the thread that forked.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace spillway::testing {

// Whether `check` is true in a child that is forked here.
template <typename Check>
bool holds_in_child(Check check) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace spillway::testing
