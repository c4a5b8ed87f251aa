// SPDX-License-Identifier: MIT
#include "bench/memory/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bench/clock.h"

namespace bench {
namespace {

// Finding a first core takes a few ms, which would be a large part of a shorter life.
constexpr double kShortLifeNs = 100e6;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench_memory: %s\n", what);
  std::exit(1);
}

// A file in /proc/PID that is read again and again.
class ProcFile {
 public:
  ProcFile(pid_t pid, const char* name)
      : file_(open(("/proc/" + std::to_string(pid) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~ProcFile() { close(file_); }
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  // The second number; 0 once the process has ended, or where the kernel has no such file.
  double second_number() const {
    char text[128] = {};
    double number = 0;
    if (pread(file_, text, sizeof text - 1, 0) <= 0 || std::sscanf(text, "%*s %lf", &number) != 1) {
      return 0;
    }
    return number;
  }

 private:
  const int file_;
};

struct Child {
  pid_t pid;
  int notes;  // the pipe's reading end
};

Child start(const std::vector<std::string>& arguments) {
  std::string self = "/proc/self/exe";
  std::vector<std::string> copies = arguments;
  std::vector<char*> words = {self.data()};
  for (std::string& copy : copies) {
    words.push_back(copy.data());
  }
  words.push_back(nullptr);
  int ends[2];
  // Closed on exec from the start: a process that another thread starts must not keep this pipe
  // open.
  if (pipe2(ends, O_CLOEXEC) != 0) {
    fail("pipe failed");
  }
  // Out of the way of kNotesFile: dup2 of a descriptor onto itself would leave it to be closed.
  const int notes = fcntl(ends[0], F_DUPFD_CLOEXEC, kNotesFile + 1);
  const int written = fcntl(ends[1], F_DUPFD_CLOEXEC, kNotesFile + 1);
  close(ends[0]);
  close(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, written, kNotesFile);
  Child child{0, notes};
  const int error = posix_spawn(&child.pid, self.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(written);
  if (error != 0) {
    fail("cannot start this program again");
  }
  return child;
}

// False at the end of the notes.
bool read_notes(int file, std::vector<Note>& notes) {
  Note some[64];
  const ssize_t got = read(file, some, sizeof some);
  if (got <= 0) {
    return false;
  }
  // A note is smaller than PIPE_BUF: none is ever cut.
  notes.insert(notes.end(), some, some + got / static_cast<ssize_t>(sizeof(Note)));
  return true;
}

bool only_waits(const std::vector<Note>& notes) {
  return std::any_of(notes.begin(), notes.end(), [](const Note& note) {
    return note.kind == NoteKind::kMark && note.name == Notebook::kWaiting;
  });
}

}  // namespace

Trace watch(const std::vector<std::string>& arguments, const std::function<void()>& waiting) {
  const double begin = now_ns();
  const Child child = start(arguments);
  const ProcFile memory(child.pid, "statm");
  const ProcFile scheduling(child.pid, "schedstat");
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  Trace trace;
  trace.start_ns = begin;
  double queued_ns = 0;
  double next = begin;
  bool told = false;
  for (bool running = true; running;) {
    if (now_ns() >= next) {
      next = now_ns() + 1e6 * kSampleInterval;
      queued_ns = std::max(queued_ns, scheduling.second_number());
      // The time before the reading: a mark made meanwhile must not seem to come before it.
      const double time = now_ns();
      if (const double pages = memory.second_number(); pages > 0) {
        trace.samples.push_back({time, pages * page});
      }
    }
    pollfd wanted{child.notes, POLLIN, 0};
    const double wait_ms = std::max(0.0, (next - now_ns()) / 1e6);
    if (poll(&wanted, 1, static_cast<int>(wait_ms) + 1) > 0) {
      running = read_notes(child.notes, trace.notes);
      if (!told && (!running || only_waits(trace.notes))) {
        told = true;
        waiting();
      }
    }
  }
  close(child.notes);
  int status = 0;
  if (waitpid(child.pid, &status, 0) != child.pid || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    fail("a workload's process ended badly");
  }
  const double life = now_ns() - begin;
  trace.queued = life < kShortLifeNs ? 0 : queued_ns / life;
  return trace;
}

}  // namespace bench
