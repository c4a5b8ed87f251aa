// SPDX-License-Identifier: MIT
// Where the heap is in its life, and the options it goes by.
//
// unstarted --first pooled request, or the constructor--> starting --> pooling | off
//
// Requests that come while another thread starts the heap, or before it can be started, go to
// mimalloc: no thread waits.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/config/options.h"

namespace spillway::heap {

enum class Phase : uint8_t { kUnstarted, kStarting, kPooling, kOff };
// start.cc moves it on.
extern constinit std::atomic<Phase> phase;

inline bool is_pooling() {
  // acquire: pairs with the release in ensure_started(): the engine is complete.
  return phase.load(std::memory_order_acquire) == Phase::kPooling;
}

// Starts the heap if that has not happened; true when it is pooling. Called before the C library
// has set itself up it does nothing and is asked again later. start.cc has it.
bool ensure_started();

// When the heap of this process began, in nanoseconds since 1970; a forked child's at the fork.
uint64_t started_at_ns();
void begin_now();

// The options in force; defaults before the start, which reads them.
const config::Options& options();
void read_options(char** environment);
// At run time; see set_option.h.
void change_option(const config::OptionSpec& spec, int64_t value);

}  // namespace spillway::heap
