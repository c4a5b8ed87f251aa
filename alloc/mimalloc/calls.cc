// SPDX-License-Identifier: MIT
// What the heap calls, by mimalloc's functions. Linked to the system's library, each also passes
// the fork gate; compiled in, mimalloc's functions do that themselves (hooked_mimalloc.c).
#include "alloc/mimalloc/calls.h"

#include <mimalloc.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/fork_gate.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/mimalloc/small_samples.h"
#include "alloc/mimalloc/tenants.h"
#include "alloc/os/os.h"
#if !SPILLWAY_MIMALLOC_EMBEDDED
#include <sys/single_threaded.h>

#include "alloc/mimalloc/mimalloc_thread.h"
#endif

static_assert(MI_MALLOC_VERSION >= 209, "mimalloc 2.0.9 or newer is needed");

#if SPILLWAY_MIMALLOC_EXTENDED
static_assert(MI_MALLOC_VERSION == 209, "mimalloc_209.h knows this version only");
extern "C" [[gnu::visibility("hidden")]] bool spillway_mimalloc_has_segment(const void* address);
extern "C" [[gnu::visibility("hidden")]] void spillway_mimalloc_collect(bool force);
extern "C" [[gnu::visibility("hidden")]] void spillway_mimalloc_decommit_waiting();
extern "C" [[gnu::visibility("hidden")]] const void* spillway_mimalloc_huge_block_around(
    const void* address);
extern "C" [[gnu::visibility("hidden")]] bool spillway_mimalloc_is_freed(const void* block);
extern "C" void spillway_mimalloc_freed_twice(void* block);
extern "C" bool spillway_mimalloc_is_due();
extern "C" uint64_t spillway_mimalloc_ms();
extern "C" [[gnu::visibility("hidden")]] std::atomic<bool> spillway_mimalloc_collect_wanted;
#endif

namespace spillway::mimalloc {
namespace {

// Passes the fork gate for one call.
class Passage {
 public:
  Passage() { enter_gate(); }
  ~Passage() { leave_gate(); }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
};

#if SPILLWAY_MIMALLOC_EMBEDDED
class AllocatingPassage {};
#else
// With one thread a fork can cut no other thread short: no gate.
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

#if SPILLWAY_MIMALLOC_EXTENDED
// relaxed: set once, to a function of the library's.
constinit std::atomic<void (*)(const void*)> double_free_teller{nullptr};

// In the time that free memory is to be kept, as often as the scavenger looks. Page faults of
// `ab` --quick sqlite, in thousands: 10.7; 15.9 with 4; 16.2 with mimalloc's 25 ms.
constexpr uint64_t kTicks = 2;
constinit std::atomic<uint64_t> tick_ms{0};  // 0: mimalloc's own delay holds
constinit std::atomic<uint64_t> first_tick_ms{0};
uint64_t now_ms() { return os::monotonic_ns() / 1'000'000; }
#endif

// Before other constructors, so that their failures set errno too.
[[gnu::constructor(101)]] void take_over_errors() { mi_register_error(on_error, nullptr); }

}  // namespace

#if !SPILLWAY_MIMALLOC_EMBEDDED
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
#if SPILLWAY_MIMALLOC_EXTENDED
  prepare_aligned(size);
#endif
  [[maybe_unused]] const AllocatingPassage passage;
  void* const block = checked(mi_malloc_aligned_at(size, alignment, 0));
  charge_aligned(block);
  return block;
}

#if SPILLWAY_MIMALLOC_EXTENDED
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
#if SPILLWAY_MIMALLOC_EXTENDED
  return spillway_mimalloc_has_segment(address);
#else
  return ownership(address) != Ownership::kForeign;
#endif
}

const void* block_around([[maybe_unused]] const void* address) {
#if SPILLWAY_MIMALLOC_EXTENDED
  return spillway_mimalloc_huge_block_around(address);
#else
  return nullptr;
#endif
}

void on_double_free([[maybe_unused]] void (*tell)(const void* block)) {
#if SPILLWAY_MIMALLOC_EXTENDED
  double_free_teller.store(tell, std::memory_order_relaxed);
#endif
}

bool is_known_free([[maybe_unused]] const void* block) {
#if SPILLWAY_MIMALLOC_EXTENDED
  return spillway_mimalloc_is_freed(block);
#else
  return false;
#endif
}

void collect(bool force) {
  const Passage passage;
#if SPILLWAY_MIMALLOC_EXTENDED
  spillway_mimalloc_collect(force);
  spillway_mimalloc_decommit_waiting();
#else
  mi_collect(force);
#endif
}

void keep_free_memory_for([[maybe_unused]] uint64_t milliseconds) {
#if SPILLWAY_MIMALLOC_EXTENDED
  constexpr uint64_t kMinTickMs = 25;
  constexpr long kForever = long{1} << 40;  // 35 years, to which a time can be added
  // relaxed, both: times.
  first_tick_ms.store(now_ms(), std::memory_order_relaxed);
  tick_ms.store(std::max(milliseconds / kTicks, kMinTickMs), std::memory_order_relaxed);
  mi_option_set_default(mi_option_decommit_delay, kForever);
  mi_option_set_default(mi_option_abandoned_page_decommit, 1);
#endif
}

void collect_waiting() {
#if SPILLWAY_MIMALLOC_EXTENDED
  if (enter_open_gate()) {
    spillway_mimalloc_decommit_waiting();
    leave_gate();
  }
#endif
}

void collect_soon() {
  const bool has_heap = !os::on_hidden_thread();
#if SPILLWAY_MIMALLOC_EXTENDED
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

}  // namespace spillway::mimalloc

#if SPILLWAY_MIMALLOC_EXTENDED
uint64_t spillway_mimalloc_ms() { return spillway::mimalloc::now_ms(); }

bool spillway_mimalloc_is_due() {
  namespace mimalloc = spillway::mimalloc;
  // relaxed, both: times.
  const uint64_t tick = mimalloc::tick_ms.load(std::memory_order_relaxed);
  if (tick == 0) {
    return false;
  }
  const uint64_t now = mimalloc::now_ms();
  return mimalloc::begins_tick((now - mimalloc::first_tick_ms.load(std::memory_order_relaxed)) /
                               tick);
}

void spillway_mimalloc_freed_twice(void* block) {
  auto* const tell = spillway::mimalloc::double_free_teller.load(std::memory_order_relaxed);
  if (tell != nullptr) {
    tell(block);
  }
}
#endif
