// SPDX-License-Identifier: MIT
// Threads that did not live at the same time share a lane, which one thread replays.
#pragma once

#include <cstdint>
#include <span>

#include "bench/trace/format.h"

namespace bench::trace {

// Changes the events' threads, which are recorded ones, to lanes of 0 to kMaxThreads - 1; the
// order within a recorded thread stays that within its lane. Returns the number of lanes, 1 at
// least. `threads` holds the recorded thread of each event.
std::uint32_t assign_lanes(std::span<Event> events, std::span<const std::uint32_t> threads);

}  // namespace bench::trace
