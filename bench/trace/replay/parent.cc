// SPDX-License-Identifier: MIT
#include "bench/trace/replay/parent.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace bench::trace {

std::optional<Touch> touch_named(const std::string& name) {
  for (std::uint8_t touch = 0; touch < std::size(kTouchNames); ++touch) {
    if (name == kTouchNames[touch]) {
      return static_cast<Touch>(touch);
    }
  }
  return std::nullopt;
}

Outcome replay_once(int plan_file, Touch touch) {
  const Plan plan(plan_file);
  plan.outcome() = {};
  std::string self = "/proc/self/exe";
  std::string inside = kInside;
  std::string file = std::to_string(plan_file);
  std::string touched = kTouchNames[static_cast<std::size_t>(touch)];
  char* words[] = {self.data(), inside.data(), file.data(), touched.data(), nullptr};
  pid_t pid = 0;
  if (const int error = posix_spawn(&pid, self.c_str(), nullptr, nullptr, words, environ)) {
    throw std::runtime_error(std::string("cannot start this program again: ") +
                             std::strerror(error));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    throw std::runtime_error(WTERMSIG(status) == SIGALRM ? "the replay did not end"
                                                         : std::string("the replay was killed: ") +
                                                               strsignal(WTERMSIG(status)));
  }
  if (status != 0) {
    throw std::runtime_error("the replay failed");
  }
  const Outcome outcome = plan.outcome();
  if (outcome.failed != 0) {
    throw std::runtime_error("event " + std::to_string(outcome.failed) + " got no memory");
  }
  return outcome;
}

}  // namespace bench::trace
