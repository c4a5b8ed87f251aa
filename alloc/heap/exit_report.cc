// How a report gets out of a program that knows nothing of it:
// - No descriptor is kept. A duplicate of stderr holds pipes and terminals open that the program
//   closed, in each daemon, and its number can be a data file's by the end (closefrom()). The start
//   remembers which file stderr is; the end writes if descriptor 2 still stands for it.
// - Programs close stderr in an exit handler (all of coreutils), and destructors of libraries run
//   after handlers. glibc's exit() runs thread-local destructors first, so the report on stderr is
//   one of main's thread. When another thread calls exit() there is only the destructor.
// - Least system calls on stderr, for sandboxes: getpid, newfstatat, getrusage (mimalloc's),
//   rt_sigprocmask, poll, write. A file takes openat and close, too.
#include "alloc/heap/exit_report.h"

#include <atomic>
#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/heap/report.h"
#include "alloc/heap/report_space.h"
#include "alloc/heap/start.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

// glibc's, behind C++'s thread_local: `call(object)` when the calling thread ends or calls exit().
// `library` is an address in the library that has the function.
// NOLINTNEXTLINE(readability-identifier-naming): glibc's name
extern "C" int __cxa_thread_atexit_impl(void (*call)(void*), void* object, void* library);

namespace spillway::heap {
namespace {

constinit os::FileIdentity stderr_at_start;
constinit bool had_stderr = false;
constinit uint32_t process_at_start = 0;
constinit std::atomic<bool> is_forked{false};
constinit std::atomic<bool> is_written{false};

config::StatsFormat format() {
  return options().choice<config::StatsFormat>(config::Option::stats);
}
std::string_view file_pattern() { return options().text(config::Option::stats_file); }

// Not the process that read the options. The number tells of children whose fork ran no handlers.
bool is_forked_child() {
  // relaxed: written before the child's second thread starts.
  return is_forked.load(std::memory_order_relaxed) || os::process_id() != process_at_start;
}

bool is_stderr_the_same() {
  os::FileIdentity current;
  return had_stderr && os::identify(os::kStandardError, current) && current == stderr_at_start;
}

bool is_one_for_each_process(std::string_view pattern) {
  for (size_t i = 1; i < pattern.size(); ++i) {
    if (pattern[i - 1] == '%' && pattern[i] == 'p') {
      return true;
    }
  }
  return false;
}

// The path with the process id for each %p. It fits: the option's text has at most 1024 characters.
void expand(std::string_view pattern, stats::Output::Text& path) {
  path.clear();
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size() && pattern[i + 1] == 'p') {
      path.number(os::process_id());
      ++i;
    } else {
      path.put(pattern[i]);
    }
  }
}

void report_on_stderr() {
  // relaxed: one of two threads that call exit() writes; it hands nothing over.
  if (is_written.load(std::memory_order_relaxed) || is_forked_child() || !is_stderr_the_same()) {
    return;
  }
  if (is_written.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  ReportSpace space;
  if (space) {
    write_statistics(os::kStandardError, format(), space, Effort::kLeast);
  }
}

void report_in_file() {
  if (is_forked_child() && !is_one_for_each_process(file_pattern())) {
    return;
  }
  ReportSpace space;
  if (!space) {
    return;
  }
  expand(file_pattern(), space.text());
  const int descriptor = os::open_for_writing(space.text().c_str());
  if (descriptor >= 0) {
    write_statistics(descriptor, format(), space);
    os::close_descriptor(descriptor);
  } else if (is_stderr_the_same()) {
    os::Message message;
    message.line().text("option stats_file: cannot write ").quoted(space.text().view());
    message.send();
  }
}

}  // namespace

void prepare_exit_report() {
  if (format() == config::StatsFormat::kOff) {
    return;
  }
  process_at_start = os::process_id();
  had_stderr = os::identify(os::kStandardError, stderr_at_start);
  if (had_stderr && file_pattern().empty()) {
    __cxa_thread_atexit_impl([](void*) { report_on_stderr(); }, nullptr, &had_stderr);
  }
}

void silence_exit_report_after_fork() {
  is_forked.store(true, std::memory_order_relaxed);  // relaxed: the only thread there is
}

void report_at_exit() {
  if (format() == config::StatsFormat::kOff) {
    return;
  }
  if (file_pattern().empty()) {
    report_on_stderr();
  } else {
    report_in_file();
  }
}

}  // namespace spillway::heap
