// SPDX-License-Identifier: MIT
#include "alloc/heap/hardening.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "alloc/base/attributes.h"
#include "alloc/base/bits.h"
#include "alloc/config/options.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenants.h"
#include "alloc/mimalloc/passed_on.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit guard::GuardedHeap guarded;

namespace {

// relaxed: a count.
constinit std::atomic<uint64_t> until_sample{0};
constinit uint64_t sample_interval = 0;

// Address space of each class: as much as the machine's memory, so that one size may fill it.
constexpr size_t kMinRegion = kGiB;
constexpr size_t kMaxRegion = 1024 * kGiB;

guard::Parts parts_in_force() {
  const int64_t quarantine = options().value(config::Option::quarantine);
  return {.guard_pages = options().flag(config::Option::guard_pages),
          .zero_on_free = options().flag(config::Option::zero_on_free),
          .canaries = options().flag(config::Option::canaries),
          .random_placement = options().flag(config::Option::random_placement),
          .quarantine = quarantine == config::kWordValue ? 0 : static_cast<uint32_t>(quarantine)};
}

bool is_sampled() {
  // relaxed: a count, whose end one thread sees; more do while it is set anew, or in a child that
  // was forked in between.
  const uint64_t left = until_sample.fetch_sub(1, std::memory_order_relaxed);
  if (left != 1 && left < 2 * sample_interval) {
    return false;
  }
  // Between one and twice the interval less one: no pattern of the program's stays unseen.
  const uint64_t random = os::monotonic_ns() * 0x9e3779b97f4a7c15U >> 32;
  until_sample.store(1 + random % (2 * sample_interval - 1), std::memory_order_relaxed);
  return true;
}

// For mimalloc, before it serves a request; the heap has asked for those above already.
void* take_small(size_t size, bool zeroed) {
  return size < config::kMinPooledSize ? take_guarded_slow({.size = size, .zeroed = zeroed})
                                       : nullptr;
}

void on_fault(uintptr_t address) {
  auto* const at = reinterpret_cast<void*>(address);
  if (guarded.owns(at)) {
    report_fault(address, guarded.nearest(at));
  }
}

}  // namespace

void start_hardening(bool is_pool_on) {
  const guard::Parts parts = parts_in_force();
  const int64_t sample = options().value(config::Option::guard_sample);
  const bool samples = sample != config::kWordValue && !options().flag(config::Option::hardened);
  if (!parts.any()) {
    return;
  }
  const size_t region =
      std::bit_ceil(std::clamp<size_t>(os::physical_memory(), kMinRegion, kMaxRegion));
  if (!is_pool_on || !guarded.start(region, parts, report_damage, heap.engine.arena())) {
    os::Message message;
    message.line().text(samples ? "guard_sample has no effect: " : "hardened mode is off: ");
    message.line().text(is_pool_on ? "no address space for guarded blocks" : "the pool is off");
    message.send();
    return;
  }
  if (parts.guard_pages) {
    os::watch_faults(on_fault);
  }
  sample_interval = samples ? static_cast<uint64_t>(sample) : 1;
  until_sample.store(sample_interval, std::memory_order_relaxed);
  guard_mode.set_release(samples ? GuardMode::kSampling : GuardMode::kHardened);
  mimalloc::ask_first(take_small);
}

SPILLWAY_COLD void* take_guarded_slow(const guard::GuardedHeap::Request& request) {
  guard::GuardedHeap::Request charged = request;
  charged.tenant = tenant_of_thread();
  if (!is_hardened()) {
    if (!is_sampled()) {
      return nullptr;
    }
    charged.place = guard::GuardedHeap::Place::kOwnPages;
  }
  void* const block = guarded.allocate(charged);
  if (block != nullptr) {
    charge_tenant(charged.tenant, request.size);
  }
  return block;
}

SPILLWAY_COLD void free_guarded(void* pointer) {
  const guard::GuardedHeap::Found found = guarded.free(pointer);
  if (found.where != guard::GuardedHeap::Where::kLive) {
    return report_guarded(Misuse::kFree, pointer, found);
  }
  credit_tenant(found.tenant, found.size);
}

SPILLWAY_COLD size_t usable_guarded(const void* pointer) {
  const guard::GuardedHeap::Found found = guarded.look(pointer);
  return found.where == guard::GuardedHeap::Where::kLive ? found.size : 0;
}

}  // namespace spillway::heap
