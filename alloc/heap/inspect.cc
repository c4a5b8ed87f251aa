// SPDX-License-Identifier: MIT
#include "alloc/heap/inspect.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "alloc/heap/heap.h"
#include "alloc/heap/report.h"
#include "alloc/heap/report_space.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::heap {

uint64_t purge() {
  const os::ErrnoKeeper keeper;
  uint64_t purged = 0;
  if (is_pooling()) {
    heap.engine.flush(thread_state);
    purged = scavenger.purge_everything(heap.engine);
  }
  mimalloc::collect(true);
  return purged;
}

void flush_thread() {
  if (is_pooling()) {
    heap.engine.flush(thread_state);
  }
}

int trim(size_t /*pad*/) {
  const size_t before = mimalloc::footprint().committed;
  return purge() != 0 || mimalloc::footprint().committed < before ? 1 : 0;
}

void print_statistics() { write_statistics(os::kStandardError, config::StatsFormat::kText); }

int write_statistics_as(int descriptor, const char* format) {
  constexpr std::string_view kFormats[] = {"off", "text", "json", "prometheus"};
  const auto* found = std::find(std::begin(kFormats), std::end(kFormats), std::string_view(format));
  if (found == std::end(kFormats)) {
    return EINVAL;
  }
  const auto wanted = static_cast<config::StatsFormat>(found - std::begin(kFormats));
  return write_statistics(descriptor, wanted) ? 0 : EIO;
}

}  // namespace spillway::heap
