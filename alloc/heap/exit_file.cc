// SPDX-License-Identifier: MIT
#include "alloc/heap/exit_file.h"

#include <atomic>
#include <cstdint>

namespace spillway::heap {
namespace {

// 0: none was noted.
constinit uint32_t process_at_start = 0;
constinit std::atomic<bool> is_forked{false};
constinit os::FileIdentity stderr_at_start;
constinit bool there_was_stderr = false;

}  // namespace

void note_process_for_exit() {
  if (process_at_start == 0) {
    process_at_start = os::process_id();
    there_was_stderr = os::identify(os::kStandardError, stderr_at_start);
  }
}

void note_fork_for_exit() {
  // relaxed: the only thread there is.
  is_forked.store(true, std::memory_order_relaxed);
}

bool is_forked_child() {
  // relaxed: written before the child's second thread starts.
  return is_forked.load(std::memory_order_relaxed) || os::process_id() != process_at_start;
}

bool had_stderr() { return there_was_stderr; }

bool is_stderr_the_same() {
  os::FileIdentity current;
  return there_was_stderr && os::identify(os::kStandardError, current) &&
         current == stderr_at_start;
}

bool may_write_at_exit(std::string_view pattern) {
  return !is_forked_child() || pattern.find("%p") != std::string_view::npos;
}

}  // namespace spillway::heap
