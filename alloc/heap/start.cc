// SPDX-License-Identifier: MIT
#include "alloc/heap/start.h"

#include <algorithm>
#include <atomic>
#include <span>

#include "alloc/base/bits.h"
#include "alloc/heap/control.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/prefill.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenant_limits.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/os/os.h"

namespace spillway::heap {

namespace {

// The arena's size by the machine's memory: runs that are free are not always where they are
// needed. Grains are counted in 32 bits.
constexpr size_t kMemoryShare = 4;
constexpr size_t kMaxArena = size_t{1} << 40;
constexpr size_t kMinArena = 16 * kMiB;
static_assert(kMaxArena / core::kGrainSize <= UINT32_MAX);
// Longer blocks are mimalloc's.
constexpr size_t kMaxRun = 64 * kMiB;
// Threads with a cache of their own; 40 KiB of address space each.
constexpr uint32_t kMaxThreads = 16384;

// Adaptive: it follows what is live and how many threads can work at once. Cached blocks serve
// no other class (bench_memory: with four times as much live/peak_ratio is 1.18 instead of 1.11,
// threads16/peak_mib 19 instead of 2.8; bench_threads: replace/256/4K-1M/1t 180 ns instead of 7).
core::CacheBudget::Config cache_budget() {
  constexpr size_t kProcessorShare = 8 * kMiB;
  constexpr uint32_t kPoolShare = 32;
  const int64_t fixed = options().value(config::Option::cache_budget);
  if (fixed != config::kWordValue) {
    return {.floor = static_cast<uint64_t>(fixed), .pool_share = 0};
  }
  return {.floor = os::processors() * kProcessorShare, .pool_share = kPoolShare};
}

// A thread that uses its blocks may keep one or two of the smallest ones, whose miss costs more
// than their use (bench_latency, 4K-64K/8t). With 32 KiB of each class `ab` magick has 18.9 MiB
// and 23.9 thousand page faults instead of 16.6 and 20.7. A busy thread (core/allocation_rate.h)
// may keep two blocks of up to 64 KiB; more is arbitrary.
constexpr core::BinLayout kBins{.slow_bytes = 8 * kKiB, .busy_bytes = 128 * kKiB};

bool start_engine() {
  static_cast<void>(os::processors());  // from here on it is known
  const size_t memory = std::clamp<size_t>(os::physical_memory(), kMinArena, kMaxArena);
  const int64_t reserve = options().value(config::Option::reserve);
  const size_t max_bytes =
      reserve != config::kWordValue
          ? align_down(static_cast<size_t>(reserve), core::kChunkSize)
          : std::min(align_down(memory, core::kChunkSize) * kMemoryShare, kMaxArena);
  return heap.engine.start({
      .store = {.block_sizes = std::span(config::kHeapClassSizes).subspan<1>(),
                .coloured_from = kMinColouredSize,
                .max_bytes = max_bytes,
                .min_bytes = kMinArena,
                .max_run_bytes = kMaxRun},
      .bins = kBins,
      .max_threads = kMaxThreads,
      .cache_budget = cache_budget(),
      .on_double_free = {.call = report_late_double_free, .owner = nullptr},
  });
}

// The entries of sizes that the options leave out stay kNoClass.
void publish_size_map() {
  const config::SizeMapRange range =
      config::size_map_range(static_cast<size_t>(options().value(config::Option::min_size)),
                             static_cast<size_t>(options().value(config::Option::max_size)));
  for (size_t entry = range.first; entry < range.end; ++entry) {
    heap.size_map[entry].set(config::kSizeMap[entry]);
  }
}

void choose_huge_pages() {
  core::HeapArena& arena = heap.engine.arena();
  switch (options().choice<config::HugePages>(config::Option::thp)) {
    case config::HugePages::kNever:
      return arena.choose_huge(false);
    case config::HugePages::kAuto:
      return heap.engine.store().allow_huge_pages();
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
  begin_now();
  read_options(environment);
  scavenger.configure(options().value(config::Option::purge_delay));
  const bool pooling =
      options().flag(config::Option::enabled) && !mimalloc::has_other_heap() && start_engine();
  if (pooling) {
    // -1, never, is the longest time.
    mimalloc::keep_free_memory_for(
        static_cast<uint64_t>(options().value(config::Option::purge_delay)));
    choose_huge_pages();
    configure_limits();
  }
  start_hardening(pooling);
  open_control();
  // release: pairs with the acquire above.
  phase.store(pooling ? Phase::kPooling : Phase::kOff, std::memory_order_release);
  if (pooling && !is_hardened()) {
    publish_size_map();
    prefill();
  }
  if (pooling) {
    configure_tenants();
  }
  start_profile_by_option(pooling);
  return pooling;
}

void recover_start_after_fork() {
  begin_now();
  // relaxed: the only thread there is.
  if (phase.load(std::memory_order_relaxed) == Phase::kStarting) {
    phase.store(Phase::kOff, std::memory_order_relaxed);
  }
}

}  // namespace spillway::heap
