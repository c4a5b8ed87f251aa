#include "alloc/heap/start.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <span>

#include "alloc/base/bits.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/prefill.h"
#include "alloc/heap/upkeep.h"
#include "alloc/os/os.h"

namespace spillway::heap {

// constinit: usable before any constructor of the program has run.
constinit Heap heap;
constinit SPILLWAY_TLS core::ThreadAnchor anchor{
    OwnedCell<core::BinTable*>(const_cast<core::BinTable*>(&core::kNoCacheYet))};

namespace {

enum class Phase : uint8_t { kUnstarted, kStarting, kPooling, kOff };

constinit std::atomic<Phase> phase{Phase::kUnstarted};
constinit config::Options options_in_force;

// A span must hold a few blocks of the largest class.
constexpr size_t kLeastSpan = core::Arena::kSpanAlignment;
static_assert(kLeastSpan >= 2 * config::kMaxPooledSize);
// Granules of the whole arena are counted in 32 bits.
constexpr size_t kMostSpan = 256 * kGiB;
static_assert(kMostSpan / kGranuleSize * kMaxClasses <= size_t{1} << 32);
// Of 512 blocks each on most machines.
constexpr uint32_t kLargeSpans = 4;
static_assert(config::kHeapClassCount + kLargeSpans < kMaxClasses);
// Threads with a cache of their own; 40 KiB of address space each.
constexpr uint32_t kMostThreads = 16384;

// Adaptive: a share of the machine, so that threads which are in a hurry keep a few blocks of each
// class; the caches of others are next to empty anyway (core/thread_cache.h).
core::CacheBudget::Config cache_budget(size_t memory) {
  constexpr size_t kLeastFloor = 64 * kMiB;
  constexpr size_t kMachineShare = 32;
  constexpr uint32_t kPoolShare = 8;
  const int64_t fixed = options_in_force.value(config::Option::cache_budget);
  if (fixed != config::kWordValue) {
    return {.floor = static_cast<uint64_t>(fixed), .pool_share = 0};
  }
  return {.floor = std::max(kLeastFloor, memory / kMachineShare), .pool_share = kPoolShare};
}

bool start_engine() {
  static_cast<void>(os::processors());  // from here on it is known
  const size_t memory = std::max<size_t>(os::physical_memory(), kLeastSpan);
  return heap.engine.start({
      .block_sizes = std::span(config::kHeapClassSizes).subspan<1>(),
      .most_span_bytes = std::min(std::bit_ceil(memory), kMostSpan),
      .least_span_bytes = kLeastSpan,
      .layout = {.coloured_from = kLeastColouredSize},
      .units = {},
      .large_spans = kLargeSpans,
      .most_threads = kMostThreads,
      .cache_budget = cache_budget(memory),
      .on_double_free = {.call = report_late_double_free, .owner = nullptr},
  });
}

void publish_size_map() {
  const auto map =
      config::make_size_map(static_cast<size_t>(options_in_force.value(config::Option::min_size)),
                            static_cast<size_t>(options_in_force.value(config::Option::max_size)));
  for (size_t entry = 0; entry < map.size(); ++entry) {
    heap.size_map[entry].set(map[entry]);
  }
}

void choose_huge_pages() {
  core::Arena& arena = heap.engine.arena();
  switch (options_in_force.choice<config::HugePages>(config::Option::thp)) {
    case config::HugePages::kNever:
      return arena.choose_huge(false);
    case config::HugePages::kAuto:
      return arena.choose_huge_growth();
    case config::HugePages::kAlways:
      return arena.choose_huge(true);
  }
}

}  // namespace

bool ensure_started() {
  // acquire: pairs with the release below; the engine is complete.
  Phase seen = phase.load(std::memory_order_acquire);
  if (seen != Phase::kUnstarted) {
    return seen == Phase::kPooling;
  }
  char** const environment = os::environment();
  if (environment == nullptr) {
    return false;
  }
  // relaxed: the winner is the only one to write from here on.
  if (!phase.compare_exchange_strong(seen, Phase::kStarting, std::memory_order_relaxed)) {
    return false;
  }
  options_in_force.load(environment, os::is_privileged());
  if (options_in_force.flag(config::Option::verbose)) {
    options_in_force.report();
  }
  upkeep.configure(options_in_force.value(config::Option::purge_delay));
  const bool pooling = options_in_force.flag(config::Option::enabled) && start_engine();
  if (pooling) {
    choose_huge_pages();
    configure_limits();
  }
  // release: pairs with the acquire above.
  phase.store(pooling ? Phase::kPooling : Phase::kOff, std::memory_order_release);
  if (pooling) {
    publish_size_map();
    prefill();
  }
  return pooling;
}

bool is_pooling() {
  // acquire: pairs with the release in ensure_started().
  return phase.load(std::memory_order_acquire) == Phase::kPooling;
}

const config::Options& options() { return options_in_force; }

void recover_start_after_fork() {
  // relaxed: the only thread there is.
  if (phase.load(std::memory_order_relaxed) == Phase::kStarting) {
    phase.store(Phase::kOff, std::memory_order_relaxed);
  }
}

}  // namespace spillway::heap
