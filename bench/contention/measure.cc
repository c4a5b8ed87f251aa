// SPDX-License-Identifier: MIT
#include "bench/contention/measure.h"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "bench/contention/fail.h"
#include "bench/contention/surroundings.h"

namespace bench::contention {
namespace {

[[noreturn]] void become_counter(const Row& row, const Settings& settings, int output) {
  dup2(output, STDOUT_FILENO);
  pretend(settings.cores, settings.memory_gib);
  const Effort& effort = settings.effort;
  const std::string numbers[] = {std::to_string(effort.warm_up), std::to_string(effort.counted),
                                 std::to_string(effort.rounds), std::to_string(settings.seed),
                                 std::to_string(settings.sites)};
  execl("/proc/self/exe", "bench_contention", "count-row", row.name.c_str(), numbers[0].c_str(),
        numbers[1].c_str(), numbers[2].c_str(), numbers[3].c_str(), numbers[4].c_str(),
        static_cast<char*>(nullptr));
  fail(std::string("can't start itself: ") + std::strerror(errno));
}

std::string read_all(int file) {
  std::string text;
  char part[4096];
  for (ssize_t size = 0; (size = read(file, part, sizeof part)) != 0;) {
    if (size > 0) {
      text.append(part, static_cast<std::size_t>(size));
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

Counts counts_from(std::istream& words) {
  Counts counts;
  words >> counts.instructions >> counts.rmw >> counts.fences >> counts.transfers >>
      counts.system_calls;
  return counts;
}

std::string rest_of(std::istream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

void take_line(const std::string& line, Result& result) {
  std::istringstream words(line);
  std::string key;
  words >> key;
  if (key == "malloc_from") {
    result.malloc_from = rest_of(words);
  } else if (key == "operations") {
    words >> result.operations;
  } else if (key == "counts") {
    result.counts = counts_from(words);
  } else if (key == "shared_lines") {
    words >> result.shared_lines;
  } else if (key == "call") {
    uint64_t count = 0;
    words >> count;
    result.calls[rest_of(words)] = count;
  } else if (key == "site") {
    const Counts counts = counts_from(words);
    result.sites.push_back({counts, rest_of(words)});
  }
}

}  // namespace

bool fix_addresses() { return personality(ADDR_NO_RANDOMIZE) != -1; }

Result measure(const Row& row, const Settings& settings) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    fail(std::string("no pipe: ") + std::strerror(errno));
  }
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    become_counter(row, settings, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  const std::string text = read_all(pipe_ends[0]);
  close(pipe_ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    fail(std::string("no process: ") + std::strerror(errno));
  }
  if (WIFSIGNALED(status)) {
    fail(row.name + ": ended by signal " + std::to_string(WTERMSIG(status)) + ", " +
         strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    std::exit(1);  // it has said why
  }
  Result result;
  result.name = row.name;
  result.threads = row.plan.threads;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    take_line(line, result);
  }
  if (result.operations == 0) {
    fail(row.name + ": ended without counts");
  }
  return result;
}

}  // namespace bench::contention
