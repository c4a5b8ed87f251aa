// SPDX-License-Identifier: MIT
// The fallback's calls on mimalloc's. Linked to the system's library, each also passes the fork
// gate; compiled in, mimalloc's functions do that themselves (hooked_mimalloc.c).
#include "alloc/fallback/fallback.h"

#include <mimalloc.h>
#include <sys/single_threaded.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "alloc/base/attributes.h"
#include "alloc/fallback/fork_gate.h"
#include "alloc/fallback/other_heap.h"
#include "alloc/os/os.h"
#if !SPILLWAY_FALLBACK_EMBEDDED
#include "alloc/fallback/mimalloc_thread.h"
#endif

static_assert(MI_MALLOC_VERSION >= 209, "mimalloc 2.0.9 or newer is needed");

#if SPILLWAY_FALLBACK_EXTENDED
static_assert(MI_MALLOC_VERSION == 209, "mimalloc_209.h knows this version only");
extern "C" [[gnu::visibility("hidden")]] bool spillway_mimalloc_has_segment(const void* address);
extern "C" [[gnu::visibility("hidden")]] void spillway_mimalloc_decommit_waiting();
extern "C" [[gnu::visibility("hidden")]] const void* spillway_mimalloc_huge_block_around(
    const void* address);
extern "C" [[gnu::visibility("hidden")]] bool spillway_mimalloc_is_freed(const void* block);
extern "C" void spillway_mimalloc_freed_twice(void* block);
extern "C" bool spillway_mimalloc_is_due();
extern "C" [[gnu::visibility("hidden")]] std::atomic<bool> spillway_mimalloc_asks;
extern "C" {
// A heap is mimalloc's mi_heap_t.
void* spillway_mimalloc_ask(void* of_thread, size_t size, bool zero, size_t huge_alignment);
void* spillway_mimalloc_ask_aligned(void* of_thread, size_t size, bool zero, size_t huge_alignment);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_generic(void* of_thread, size_t size,
                                                              bool zero, size_t huge_alignment);
[[gnu::visibility("hidden")]] size_t spillway_mimalloc_block_size(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_takes_from_lists(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_reached_cut(void* of_thread, size_t size,
                                                                 uint32_t round);
[[gnu::visibility("hidden")]] void spillway_mimalloc_pass_cut(size_t size, uint32_t round);
[[gnu::visibility("hidden")]] uint32_t spillway_mimalloc_listed(void* block);
[[gnu::visibility("hidden")]] void spillway_mimalloc_cut(void* block, uint32_t blocks,
                                                         uint32_t round);
}
extern "C" [[gnu::visibility("hidden")]] std::atomic<bool> spillway_mimalloc_collect_wanted;
#endif

namespace spillway::fallback {
namespace {

// Passes the fork gate for one call.
class Passage {
 public:
  Passage() { enter_gate(); }
  ~Passage() { leave_gate(); }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
};

#if SPILLWAY_FALLBACK_EMBEDDED
class AllocatingPassage {};
#else
// With one thread there is nobody whose work a fork could cut short: no gate.
class HotPassage {
 public:
  HotPassage() : counted_(__libc_single_threaded == 0) {
    if (counted_) {
      enter_gate();
    }
  }
  ~HotPassage() {
    if (counted_) {
      leave_gate();
    }
  }
  HotPassage(const HotPassage&) = delete;
  HotPassage& operator=(const HotPassage&) = delete;

 protected:
  bool counted() const { return counted_; }

 private:
  bool counted_;
};

class AllocatingPassage : public HotPassage {
 public:
  AllocatingPassage() {
    if (counted()) {
      adopt_thread();
    }
  }
};
#endif

void* checked(void* block) {
  if (SPILLWAY_UNLIKELY(block == nullptr)) {
    report_no_memory();
  }
  return block;
}

// mimalloc calls this for every failure; only running out of memory is for the caller's errno.
void on_error(int error, void*) {
  if (error == ENOMEM || error == EOVERFLOW) {
    report_no_memory();
  }
}

#if SPILLWAY_FALLBACK_EXTENDED
// relaxed: set once, to a function of the library's.
constinit std::atomic<void (*)(const void*)> double_free_teller{nullptr};
constinit std::atomic<void* (*)(size_t, bool)> taker{nullptr};
constinit std::atomic<const SmallSampler*> small_sampler{nullptr};
// Of sampling: lists that were cut in an earlier one are not this one's. relaxed: a number.
constinit std::atomic<uint32_t> sampling_round{0};

// In the time that free memory is to be kept, as often as the pool's upkeep looks. Page faults of
// `ab` --quick sqlite, in thousands: 10.7; 15.9 with 4; 16.2 with mimalloc's 25 ms.
constexpr uint64_t kTicks = 2;
constinit std::atomic<uint64_t> tick_ms{0};  // 0: mimalloc's own delay holds
constinit std::atomic<uint64_t> first_tick_ms{0};
uint64_t now_ms() { return os::monotonic_ns() / 1'000'000; }
#endif

// Before other constructors, so that their failures set errno too.
[[gnu::constructor(101)]] void take_over_errors() { mi_register_error(on_error, nullptr); }

}  // namespace

#if !SPILLWAY_FALLBACK_EMBEDDED
// mimalloc aligns blocks of up to 8 bytes to 8.
static size_t at_least_smallest(size_t size) { return std::max<size_t>(size, kAlignment); }

void* allocate(size_t size) {
  if (has_other_heap()) {
    return other_allocate(size, false);
  }
  const AllocatingPassage passage;
  return checked(mi_malloc(at_least_smallest(size)));
}

void* allocate_zeroed(size_t size) {
  if (has_other_heap()) {
    return other_allocate(size, true);
  }
  const AllocatingPassage passage;
  return checked(mi_zalloc(at_least_smallest(size)));
}

void free(void* block) {
  const HotPassage passage;
  mi_free(block);
}

void* reallocate(void* block, size_t size) {
  const AllocatingPassage passage;
  return checked(mi_realloc(block, at_least_smallest(size)));
}

size_t usable_size(const void* block) { return mi_usable_size(block); }
#endif

// The entries with an offset: those without take a shortcut in 2.0.9 that gives blocks of 256, 512
// and 1024 bytes no more than 128 bytes' alignment.
void* allocate_aligned(size_t alignment, size_t size) {
  if (alignment <= kAlignment) {
    return allocate(size);
  }
  if (has_other_heap()) {
    return other_allocate_aligned(alignment, size);
  }
#if SPILLWAY_FALLBACK_EXTENDED
  // relaxed, both: as for any request.
  if (SPILLWAY_UNLIKELY(small_sampler.load(std::memory_order_relaxed) != nullptr)) {
    spillway_mimalloc_pass_cut(size, sampling_round.load(std::memory_order_relaxed));
  }
#endif
  [[maybe_unused]] const AllocatingPassage passage;
  return checked(mi_malloc_aligned_at(size, alignment, 0));
}

void* allocate_zeroed_aligned(size_t alignment, size_t size) {
  if (alignment <= kAlignment) {
    return allocate_zeroed(size);
  }
  if (has_other_heap()) {
    void* const block = other_allocate_aligned(alignment, size);
    return block != nullptr ? std::memset(block, 0, size) : nullptr;
  }
  [[maybe_unused]] const AllocatingPassage passage;
  return checked(mi_zalloc_aligned_at(size, alignment, 0));
}

#if SPILLWAY_FALLBACK_EXTENDED
Ownership ownership(const void* address) {
  return spillway_mimalloc_has_segment(address) ? Ownership::kOwned : Ownership::kForeign;
}
#else
Ownership ownership(const void* address) {
  // Early versions 3 take the first 64 KiB, where nothing is ever mapped, for theirs.
  if (reinterpret_cast<uintptr_t>(address) < 0x10000) {
    return Ownership::kForeign;
  }
  const Passage passage;
  if (mi_is_in_heap_region(address)) {
    return Ownership::kOwned;
  }
  // Version 2 maps the first 20 TiB (2.0), later 40 or 48; version 3 maps every address.
  constexpr uintptr_t kMappedByAll = uintptr_t{20} << 40;
  const bool mapped = version() >= 30000 || reinterpret_cast<uintptr_t>(address) < kMappedByAll;
  return mapped ? Ownership::kForeign : Ownership::kUnknown;
}
#endif

bool may_hold(const void* address) {
#if SPILLWAY_FALLBACK_EXTENDED
  return spillway_mimalloc_has_segment(address);
#else
  return ownership(address) != Ownership::kForeign;
#endif
}

const void* block_around([[maybe_unused]] const void* address) {
#if SPILLWAY_FALLBACK_EXTENDED
  return spillway_mimalloc_huge_block_around(address);
#else
  return nullptr;
#endif
}

void on_double_free([[maybe_unused]] void (*tell)(const void* block)) {
#if SPILLWAY_FALLBACK_EXTENDED
  double_free_teller.store(tell, std::memory_order_relaxed);
#endif
}

void ask_first([[maybe_unused]] void* (*take)(size_t size, bool zeroed)) {
#if SPILLWAY_FALLBACK_EXTENDED
  // release: pairs with the acquire in spillway_mimalloc_ask(); what `take` reads is ready.
  taker.store(take, std::memory_order_release);
  // relaxed: a thread that sees it late asks at its next request.
  spillway_mimalloc_asks.store(true, std::memory_order_relaxed);
#endif
}

bool sample_small([[maybe_unused]] const SmallSampler* sampler) {
#if SPILLWAY_FALLBACK_EXTENDED
  if (sampler != nullptr) {
    sampling_round.fetch_add(1, std::memory_order_relaxed);
  }
  // release: as in ask_first().
  small_sampler.store(sampler, std::memory_order_release);
  // relaxed, both: as there.
  spillway_mimalloc_asks.store(
      sampler != nullptr || taker.load(std::memory_order_relaxed) != nullptr,
      std::memory_order_relaxed);
  return true;
#else
  return false;
#endif
}

bool is_known_free([[maybe_unused]] const void* block) {
#if SPILLWAY_FALLBACK_EXTENDED
  return spillway_mimalloc_is_freed(block);
#else
  return false;
#endif
}

void collect(bool force) {
  const Passage passage;
  mi_collect(force);
#if SPILLWAY_FALLBACK_EXTENDED
  spillway_mimalloc_decommit_waiting();
#endif
}

void keep_free_memory_for([[maybe_unused]] uint64_t milliseconds) {
#if SPILLWAY_FALLBACK_EXTENDED
  constexpr uint64_t kLeastTickMs = 25;
  constexpr long kForever = long{1} << 40;  // 35 years, to which a time can be added
  // relaxed, both: times.
  first_tick_ms.store(now_ms(), std::memory_order_relaxed);
  tick_ms.store(std::max(milliseconds / kTicks, kLeastTickMs), std::memory_order_relaxed);
  mi_option_set_default(mi_option_decommit_delay, kForever);
  mi_option_set_default(mi_option_abandoned_page_decommit, 1);
#endif
}

void collect_waiting() {
#if SPILLWAY_FALLBACK_EXTENDED
  if (enter_open_gate()) {
    spillway_mimalloc_decommit_waiting();
    leave_gate();
  }
#endif
}

void collect_soon() {
  const bool has_heap = !os::on_hidden_thread();
#if SPILLWAY_FALLBACK_EXTENDED
  if (has_heap) {
    collect_waiting();
  }
  // relaxed: a wish.
  spillway_mimalloc_collect_wanted.store(true, std::memory_order_relaxed);
#else
  if (has_heap) {
    collect(false);
  }
#endif
}

int version() {
  const int number = mi_version();
  if (number >= 10000) {
    return number;
  }
  return number / 100 * 10000 + number / 10 % 10 * 100 + number % 10;
}

}  // namespace spillway::fallback

#if SPILLWAY_FALLBACK_EXTENDED
namespace spillway::fallback {
namespace {

// A small request, of which those that a list serves are shown by where the list ends: what is
// drawn for one decides at once for it and for all up to the next that is wanted.
void* allocate_sampled(void* of_thread, size_t size, bool zero, bool may_take,
                       const SmallSampler& sampler) {
  const bool has_list = spillway_mimalloc_takes_from_lists(size);
  const uint32_t round = sampling_round.load(std::memory_order_relaxed);
  const size_t block_size = has_list ? spillway_mimalloc_block_size(size) : size;
  const bool is_sample = (has_list && spillway_mimalloc_reached_cut(of_thread, size, round)) ||
                         (may_take && sampler.is_sample(block_size));
  void* const sample = is_sample && may_take ? sampler.take(size, block_size, zero) : nullptr;
  if (sample != nullptr) {
    return sample;
  }
  void* const block = spillway_mimalloc_generic(of_thread, size, zero, 0);
  if (has_list && block != nullptr) {
    const uint32_t listed = spillway_mimalloc_listed(block);
    const uint32_t blocks = sampler.blocks_until_sample(block_size, listed);
    if (blocks < listed) {
      spillway_mimalloc_cut(block, blocks, round);
    }
  }
  return block;
}

constexpr size_t kSmallEnd = 4096;  // requests from here on are the pool's

}  // namespace
}  // namespace spillway::fallback

void* spillway_mimalloc_ask(void* of_thread, size_t size, bool zero, size_t huge_alignment) {
  namespace fallback = spillway::fallback;
  // acquire: pairs with the release in ask_first().
  auto* const take = fallback::taker.load(std::memory_order_acquire);
  void* const taken = take != nullptr && huge_alignment == 0 ? take(size, zero) : nullptr;
  if (taken != nullptr) {
    return taken;
  }
  // acquire: pairs with the release in sample_small().
  const fallback::SmallSampler* const sampler =
      fallback::small_sampler.load(std::memory_order_acquire);
  if (sampler != nullptr && size < fallback::kSmallEnd && huge_alignment == 0) {
    return fallback::allocate_sampled(of_thread, size, zero, true, *sampler);
  }
  return spillway_mimalloc_generic(of_thread, size, zero, huge_alignment);
}

void* spillway_mimalloc_ask_aligned(void* of_thread, size_t size, bool zero,
                                    size_t huge_alignment) {
  namespace fallback = spillway::fallback;
  // acquire: as above.
  const fallback::SmallSampler* const sampler =
      fallback::small_sampler.load(std::memory_order_acquire);
  if (sampler != nullptr && size < fallback::kSmallEnd && huge_alignment == 0) {
    // Not to be seen, but the list that it comes from serves others, which are.
    return fallback::allocate_sampled(of_thread, size, zero, false, *sampler);
  }
  return spillway_mimalloc_generic(of_thread, size, zero, huge_alignment);
}

bool spillway_mimalloc_is_due() {
  namespace fallback = spillway::fallback;
  // relaxed, both: times.
  const uint64_t tick = fallback::tick_ms.load(std::memory_order_relaxed);
  if (tick == 0) {
    return false;
  }
  const uint64_t now = fallback::now_ms();
  return fallback::begins_tick((now - fallback::first_tick_ms.load(std::memory_order_relaxed)) /
                               tick);
}

void spillway_mimalloc_freed_twice(void* block) {
  auto* const tell = spillway::fallback::double_free_teller.load(std::memory_order_relaxed);
  if (tell != nullptr) {
    tell(block);
  }
}
#endif
