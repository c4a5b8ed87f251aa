// SPDX-License-Identifier: MIT
#include "bench/threads/apart.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace bench {
namespace {

static_assert(std::is_trivially_copyable_v<Sample>, "samples go through a pipe");

[[noreturn]] void fail(const Case& one, const char* what) {
  std::fprintf(stderr, "bench_threads: %s: %s\n", one.name.c_str(), what);
  std::exit(1);
}

[[noreturn]] void run_and_tell(const Case& one, Effort effort, int pipe_end) {
  const auto work = one.make();
  const std::vector<Sample> samples = run_crew(*work, effort);
  const char* rest = reinterpret_cast<const char*>(samples.data());
  for (std::size_t left = samples.size() * sizeof(Sample); left != 0;) {
    const ssize_t written = write(pipe_end, rest, left);
    if (written <= 0) {
      _exit(1);
    }
    rest += written;
    left -= static_cast<std::size_t>(written);
  }
  _exit(0);
}

std::vector<Sample> read_samples(int pipe_end) {
  std::vector<Sample> samples;
  Sample one{};
  for (std::size_t have = 0;;) {
    const ssize_t got = read(pipe_end, reinterpret_cast<char*>(&one) + have, sizeof one - have);
    if (got <= 0) {
      return samples;
    }
    have += static_cast<std::size_t>(got);
    if (have == sizeof one) {
      samples.push_back(one);
      have = 0;
    }
  }
}

}  // namespace

std::vector<Sample> run_apart(const Case& one, Effort effort) {
  int ends[2];
  if (pipe(ends) != 0) {
    fail(one, std::strerror(errno));
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    fail(one, std::strerror(errno));
  }
  if (child == 0) {
    close(ends[0]);
    run_and_tell(one, effort, ends[1]);
  }
  close(ends[1]);
  std::vector<Sample> samples = read_samples(ends[0]);
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0 || samples.empty()) {
    fail(one, "its process ended badly");
  }
  return samples;
}

}  // namespace bench
