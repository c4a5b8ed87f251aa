// SPDX-License-Identifier: MIT
#include "bench/startup/measure.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "bench/clock.h"
#include "bench/page_faults.h"

namespace bench {
namespace {

constexpr const char* kProgram = "/bin/true";

[[noreturn]] void fail(const std::string& what, const Contender& contender) {
  std::fprintf(stderr, "bench_startup: %s under %s\n", what.c_str(), contender.name.c_str());
  std::exit(1);
}

// This process's environment with LD_PRELOAD as the contender wants it.
class Environment {
 public:
  explicit Environment(const Contender& contender) : preload_("LD_PRELOAD=" + contender.library) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (std::strncmp(*entry, "LD_PRELOAD=", std::strlen("LD_PRELOAD=")) != 0) {
        entries_.push_back(*entry);
      }
    }
    if (!contender.library.empty()) {
      entries_.push_back(preload_.data());
    }
    entries_.push_back(nullptr);
  }
  char* const* get() const { return entries_.data(); }

 private:
  std::string preload_;
  std::vector<char*> entries_;
};

double microseconds(const timeval& time) {
  return 1e6 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec);
}

bool succeeded(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

Memory read_memory(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  Memory memory{0, 0};
  for (std::string line; std::getline(file, line);) {
    char name[32];
    double kib = 0;
    if (std::sscanf(line.c_str(), "%31[^:]: %lf", name, &kib) != 2) {
      continue;
    }
    if (std::strcmp(name, "Rss") == 0) {
      memory.resident_kib = kib;
    } else if (std::strncmp(name, "Private_", std::strlen("Private_")) == 0) {
      memory.private_kib += kib;
    }
  }
  return memory;
}

}  // namespace

Start time_start(const Contender& contender) {
  const Environment environment(contender);
  std::string name = kProgram;
  char* const arguments[] = {name.data(), nullptr};
  pid_t pid = 0;
  int status = 0;
  rusage usage{};
  const double start = now_ns();
  if (posix_spawn(&pid, kProgram, nullptr, nullptr, arguments, environment.get()) != 0 ||
      wait4(pid, &status, 0, &usage) != pid || !succeeded(status)) {
    fail(name + " failed", contender);
  }
  const double end = now_ns();
  return {(end - start) / 1e3, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
          page_faults_of(usage)};
}

bool measure_memory(const Contender& contender, Memory& memory) {
  const Environment environment(contender);
  std::string name = kProgram;
  char* const arguments[] = {name.data(), nullptr};
  const pid_t pid = fork();
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) {
      execve(kProgram, arguments, environment.get());
    }
    _exit(127);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
    return false;
  }
  if (ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) != 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return false;
  }
  constexpr int kExitStop = SIGTRAP | (PTRACE_EVENT_EXIT << 8);
  ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
    if (status >> 8 == kExitStop) {
      memory = read_memory(pid);
    }
    ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  }
  if (!succeeded(status)) {
    fail(name + " failed", contender);
  }
  return memory.resident_kib > 0;
}

std::string file_in_use(const Contender& contender) {
  const Environment environment(contender);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    fail("pipe failed", contender);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string self = "/proc/self/exe";
  std::string print = kPrintAllocator;
  char* const arguments[] = {self.data(), print.data(), nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, environment.get());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    fail("cannot start this program again", contender);
  }
  std::string text;
  char part[512];
  for (ssize_t got = 0; (got = read(ends[0], part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !succeeded(status)) {
    fail("this program's second copy failed", contender);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace bench
