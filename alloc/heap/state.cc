// SPDX-License-Identifier: MIT
#include "alloc/heap/state.h"

#include "alloc/heap/heap.h"
#include "alloc/os/os.h"

namespace spillway::heap {

// constinit: usable before any constructor of the program has run.
constinit Heap heap;
constinit SPILLWAY_TLS core::ThreadState thread_state{
    OwnedCell<core::BinTable*>(const_cast<core::BinTable*>(&core::kNoCacheYet))};
constinit std::atomic<Phase> phase{Phase::kUnstarted};

namespace {

constinit config::Options options_in_force;
// relaxed: a time that orders nothing.
constinit std::atomic<uint64_t> began_at_ns{0};

}  // namespace

uint64_t started_at_ns() { return began_at_ns.load(std::memory_order_relaxed); }

void begin_now() { began_at_ns.store(os::wall_clock_ns(), std::memory_order_relaxed); }

const config::Options& options() { return options_in_force; }

void read_options(char** environment) {
  options_in_force.load(environment, os::is_privileged());
  if (options_in_force.flag(config::Option::verbose)) {
    options_in_force.report();
  }
}

void change_option(const config::OptionSpec& spec, int64_t value) {
  options_in_force.change(spec, value);
}

}  // namespace spillway::heap
