#include "alloc/heap/hardening.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "alloc/base/attributes.h"
#include "alloc/base/bits.h"
#include "alloc/config/options.h"
#include "alloc/fallback/fallback.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/start.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit guard::GuardedHeap guarded;
constinit OwnedCell<GuardMode> guard_mode;

namespace {

// relaxed: a count.
constinit std::atomic<uint64_t> until_sample{0};
constinit uint64_t sample_interval = 0;

// Address space of each class: as much as the machine's memory, so that one size may fill it.
constexpr size_t kMinRegion = kGiB;
constexpr size_t kMaxRegion = 1024 * kGiB;

// Of a part: as it is set, or as hardened mode has it.
bool is_on(config::Option part) {
  const bool is_set = options().origin(part) != config::OptionOrigin::kDefault;
  return is_set ? options().flag(part) : options().flag(config::Option::hardened);
}

uint32_t quarantine() {
  const int64_t value = options().value(config::Option::quarantine);
  if (value != config::kWordValue) {
    return static_cast<uint32_t>(value);
  }
  const bool is_set =
      options().origin(config::Option::quarantine) != config::OptionOrigin::kDefault;
  return !is_set && options().flag(config::Option::hardened) ? guard::kDefaultQuarantine : 0;
}

guard::Parts parts_in_force() {
  return {.guard_pages = is_on(config::Option::guard_pages),
          .zero_on_free = is_on(config::Option::zero_on_free),
          .canaries = is_on(config::Option::canaries),
          .random_placement = is_on(config::Option::random_placement),
          .quarantine = quarantine()};
}

constexpr guard::Parts kPartsOfSamples{.guard_pages = true,
                                       .zero_on_free = true,
                                       .canaries = true,
                                       .random_placement = true,
                                       .quarantine = guard::kDefaultQuarantine};

bool is_sampled() {
  // relaxed: one thread sees each number.
  if (until_sample.fetch_sub(1, std::memory_order_relaxed) != 1) {
    return false;
  }
  // Between one and twice the interval less one: no pattern of the program's stays unseen.
  const uint64_t random = os::monotonic_ns() * 0x9e3779b97f4a7c15U >> 32;
  until_sample.store(1 + random % (2 * sample_interval - 1), std::memory_order_relaxed);
  return true;
}

// For mimalloc, before it serves a request.
void* take_small(size_t size, bool zeroed) {
  return guarded.allocate({.size = size, .zeroed = zeroed});
}
void* take_small_sample(size_t size, bool zeroed) {
  using Place = guard::GuardedHeap::Place;
  return is_sampled()
             ? guarded.allocate({.size = size, .zeroed = zeroed, .place = Place::kOwnPages})
             : nullptr;
}

void on_fault(uintptr_t address) {
  auto* const at = reinterpret_cast<void*>(address);
  if (guarded.owns(at)) {
    report_fault(address, guarded.nearest(at));
  }
}

}  // namespace

void start_hardening() {
  const guard::Parts parts = parts_in_force();
  const int64_t sample = options().value(config::Option::guard_sample);
  const bool samples = sample != config::kWordValue;
  if (!parts.any() && !samples) {
    return;
  }
  const size_t region =
      std::bit_ceil(std::clamp<size_t>(os::physical_memory(), kMinRegion, kMaxRegion));
  if (!guarded.start(region, parts.any() ? parts : kPartsOfSamples, report_damage)) {
    os::Message message;
    message.line().text("no address space for hardened blocks: hardened mode is off");
    message.send();
    return;
  }
  if (!parts.any() || parts.guard_pages) {
    os::watch_faults(on_fault);
  }
  if (parts.any()) {
    guard_mode.set_release(GuardMode::kHardened);
    fallback::ask_first(take_small);
    return;
  }
  sample_interval = static_cast<uint64_t>(sample);
  until_sample.store(sample_interval, std::memory_order_relaxed);
  guard_mode.set_release(GuardMode::kSampling);
  fallback::ask_first(take_small_sample);
}

SPILLWAY_COLD void* take_guarded_slow(const guard::GuardedHeap::Request& request) {
  return is_hardened() || is_sampled() ? guarded.allocate(request) : nullptr;
}

SPILLWAY_COLD void free_guarded(void* pointer) {
  const guard::GuardedHeap::Found found = guarded.free(pointer);
  if (found.where != guard::GuardedHeap::Where::kLive) {
    report_guarded(Misuse::kFree, pointer, found);
  }
}

SPILLWAY_COLD size_t usable_guarded(const void* pointer) {
  const guard::GuardedHeap::Found found = guarded.look(pointer);
  return found.where == guard::GuardedHeap::Where::kLive ? found.size : 0;
}

}  // namespace spillway::heap
