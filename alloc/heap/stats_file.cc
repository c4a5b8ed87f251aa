// SPDX-License-Identifier: MIT
#include "alloc/heap/stats_file.h"

#include <atomic>

#include "alloc/config/options.h"
#include "alloc/heap/exit_file.h"
#include "alloc/heap/report.h"
#include "alloc/heap/state.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;

// Whether the background thread is to write, and whether it does. seq_cst where one thread sets the
// first and looks at the second, and another the reverse; relaxed elsewhere.
constinit std::atomic<bool> is_wanted{false};
constinit std::atomic<bool> is_writing{false};
// relaxed: a time that orders nothing. Of the monotonic clock.
constinit std::atomic<uint64_t> due_ns{0};

uint64_t interval_ms() {
  return static_cast<uint64_t>(options().value(config::Option::stats_interval)) * 1000;
}

// It fits, twice: the option's text has at most 1024 characters.
void put_stats_path(stats::Output::Text& path) { put_path(stats_file_pattern(), path); }

void put_temporary_path(stats::Output::Text& path) {
  path.clear();
  put_stats_path(path);
  path.put('.').number(os::process_id()).text(".tmp");
}

// The file under its temporary name takes its place, or goes when it is not whole.
void put_in_place(stats::Output::Text& text, bool whole) {
  put_temporary_path(text);
  if (!whole) {
    return os::remove_file(text.c_str());
  }
  text.put('\0');
  const size_t second = text.view().size();
  put_stats_path(text);
  const char* const both = text.c_str();
  if (!os::rename_file(both, both + second)) {
    os::remove_file(both);
  }
}

}  // namespace

std::string_view stats_file_pattern() { return options().text(config::Option::stats_file); }

bool has_stats_interval() {
  return options().value(config::Option::stats_interval) != config::kWordValue;
}

bool write_stats_file(ReportSpace& space) {
  stats::Output::Text& text = space.text();
  text.clear();
  put_stats_path(text);
  const bool beside = has_stats_interval() && os::is_replaceable(text.c_str());
  if (beside) {
    put_temporary_path(text);
  }
  const int descriptor = os::open_for_writing(text.c_str());
  if (descriptor < 0) {
    text.clear();
    put_stats_path(text);
    return false;
  }
  const auto format = options().choice<config::StatsFormat>(config::Option::stats);
  const bool whole = write_statistics(descriptor, format, space);
  os::close_descriptor(descriptor);
  if (beside) {
    put_in_place(text, whole);
  }
  return true;
}

NextTurn write_due_statistics() {
  if (!is_wanted.load(std::memory_order_relaxed)) {
    return {.milliseconds = NextTurn::kNever};
  }
  const uint64_t now = os::monotonic_ns();
  const uint64_t due = due_ns.load(std::memory_order_relaxed);
  if (now < due) {
    return {.milliseconds = static_cast<uint32_t>((due - now) / kMillisecondNs) + 1,
            .keeps_thread = true};
  }
  // By the clock, not by the end of what is written: intervals don't grow.
  const uint64_t next = now + interval_ms() * kMillisecondNs;
  due_ns.store(next, std::memory_order_relaxed);
  // seq_cst, both: pairs with end_stats_interval().
  is_writing.store(true, std::memory_order_seq_cst);
  if (is_wanted.load(std::memory_order_seq_cst) && may_write_at_exit(stats_file_pattern())) {
    os::hide_descriptors();
    ReportSpace space;
    if (space) {
      write_stats_file(space);
    }
  }
  // release: pairs with the loads in end_stats_interval(), which writes next.
  is_writing.store(false, std::memory_order_release);
  const uint64_t after = os::monotonic_ns();
  return {
      .milliseconds = after < next ? static_cast<uint32_t>((next - after) / kMillisecondNs) + 1 : 1,
      .keeps_thread = true};
}

void start_stats_interval() {
  if (has_stats_interval()) {
    is_wanted.store(true, std::memory_order_relaxed);
    start_background();
  }
}

void resume_stats_interval() {
  if (is_wanted.load(std::memory_order_relaxed) &&
      os::monotonic_ns() >= due_ns.load(std::memory_order_relaxed)) {
    start_background();
  }
}

bool end_stats_interval() {
  constexpr uint64_t kWaitNs = 1000 * kMillisecondNs;
  // seq_cst, both: pairs with write_due_statistics().
  is_wanted.store(false, std::memory_order_seq_cst);
  os::BoundedWait wait(kWaitNs);
  while (is_writing.load(std::memory_order_seq_cst)) {
    if (!wait.pause()) {
      return false;
    }
  }
  return true;
}

void restart_stats_interval_after_fork() {
  // relaxed, all: the only thread there is.
  is_writing.store(false, std::memory_order_relaxed);
  if (is_wanted.load(std::memory_order_relaxed)) {
    is_wanted.store(may_write_at_exit(stats_file_pattern()), std::memory_order_relaxed);
    // Not before a child that only executes a program has done so.
    due_ns.store(os::monotonic_ns() + interval_ms() * kMillisecondNs, std::memory_order_relaxed);
  }
}

}  // namespace spillway::heap
