// SPDX-License-Identifier: MIT
// Runs something in a forked child: how it ended, and what it said on stderr.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

namespace spillway::testing {

struct Ending {
  int status;  // as waitpid() has it; 0: `work` returned
  std::string message;

  bool was_killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
};

template <typename Work>
Ending run_in_child(Work work) {
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit no_core {};
    setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    work();
    _exit(0);
  }
  close(ends[1]);
  Ending ending{};
  char part[256];
  for (ssize_t got = 0; (got = read(ends[0], part, sizeof part)) > 0;) {
    ending.message.append(part, static_cast<size_t>(got));
  }
  close(ends[0]);
  BOOST_REQUIRE(waitpid(child, &ending.status, 0) == child);
  return ending;
}

}  // namespace spillway::testing
