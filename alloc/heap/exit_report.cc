// SPDX-License-Identifier: MIT
// How a report gets out of a program that knows nothing of it:
// - No descriptor is kept. A duplicate of stderr holds pipes and terminals open that the program
//   closed, in each daemon, and its number can be a data file's by the end (closefrom()). The start
//   remembers which file stderr is; the end writes if descriptor 2 still stands for it.
// - Programs close stderr in an exit handler (all of coreutils), and destructors of libraries run
//   after handlers. glibc's exit() runs thread-local destructors first, so the report on stderr is
//   one of main's thread. When another thread calls exit(), and with another C library, there is
//   only the destructor.
// - Least system calls on stderr, for sandboxes: getpid, newfstatat, getrusage (mimalloc's),
//   rt_sigprocmask, poll, write. A file takes openat and close, too.
#include "alloc/heap/exit_report.h"

#include <atomic>
#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/heap/exit_file.h"
#include "alloc/heap/report.h"
#include "alloc/heap/report_space.h"
#include "alloc/heap/state.h"
#include "alloc/heap/stats_file.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

#ifdef __GLIBC__
// Behind C++'s thread_local: `call(object)` when the calling thread ends or calls exit().
// `library` is an address in the library that has the function.
// NOLINTNEXTLINE(readability-identifier-naming): glibc's name
extern "C" int __cxa_thread_atexit_impl(void (*call)(void*), void* object, void* library);
#endif

namespace spillway::heap {
namespace {

constinit std::atomic<bool> is_written{false};

config::StatsFormat format() {
  return options().choice<config::StatsFormat>(config::Option::stats);
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
    write_statistics(os::kStandardError, format(), space, Effort::kMin);
  }
}

void report_in_file() {
  if (!may_write_at_exit(stats_file_pattern()) || !end_stats_interval()) {
    return;
  }
  ReportSpace space;
  if (space && !write_stats_file(space) && is_stderr_the_same()) {
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
  note_process_for_exit();
#ifdef __GLIBC__
  if (had_stderr() && stats_file_pattern().empty()) {
    __cxa_thread_atexit_impl([](void*) { report_on_stderr(); }, nullptr, &is_written);
  }
#endif
}

void report_at_exit() {
  if (format() == config::StatsFormat::kOff) {
    return;
  }
  if (stats_file_pattern().empty()) {
    report_on_stderr();
  } else {
    report_in_file();
  }
}

}  // namespace spillway::heap
