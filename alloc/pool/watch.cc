// SPDX-License-Identifier: MIT
#include "alloc/pool/watch.h"

#include <algorithm>
#include <atomic>
#include <string_view>

#include "alloc/base/bits.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"
#include "alloc/tools/address_sanitizer.h"
#include "alloc/tools/memcheck.h"

namespace spillway::pool {
namespace {

// Of each class; arbitrary.
constexpr size_t kMaxWaitingBytes = 16 * kMiB;

constinit std::atomic<void (*)(const void*)> describer{nullptr};

bool is_under_address_sanitizer() {
  if (__asan_poison_memory_region == nullptr || __asan_unpoison_memory_region == nullptr ||
      __asan_address_is_poisoned == nullptr) {
    return false;
  }
  alignas(64) char probe[64] = {};
  __asan_poison_memory_region(probe, sizeof probe);
  const bool listens = __asan_address_is_poisoned(probe) != 0;
  __asan_unpoison_memory_region(probe, sizeof probe);
  return listens;
}

void tell(std::string_view what, const tools::Stack& stack) {
  os::Message message;
  message.line().text(what).text(" by thread ").number(stack.thread()).text(" here:");
  message.send();
  stack.print();
}

}  // namespace

std::unique_ptr<Watch> Watch::make(Engine& engine, void (*describe)(const void* address)) {
  const bool memcheck = tools::is_under_memcheck();
  if (!memcheck && !is_under_address_sanitizer()) {
    return nullptr;
  }
  if (!memcheck && __asan_set_error_report_callback != nullptr &&
      __asan_get_report_address != nullptr) {
    // relaxed: each pool's is the same function.
    describer.store(describe, std::memory_order_relaxed);
    __asan_set_error_report_callback([](const char* /*report*/) {
      // relaxed: as above.
      describer.load(std::memory_order_relaxed)(__asan_get_report_address());
    });
  }
  return std::unique_ptr<Watch>(new Watch(engine, memcheck));
}

Watch::Watch(Engine& engine, bool memcheck) : engine_(engine), memcheck_(memcheck) {
  size_t all_slots = 0;
  for (uint32_t i = 1; i <= engine.geometry().class_count; ++i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    const uint32_t slots = engine.store().central(index).slots();
    first_slot_[i] = all_slots;
    all_slots += slots;
    waiting_[i].ring.resize(std::clamp<size_t>(kMaxWaitingBytes / size_of(index), 1, slots));
  }
  if (memcheck) {
    return;
  }
  stacks_bytes_ = align_up(all_slots * sizeof(Stacks), os::page_size());
  // Zero is an empty stack.
  stacks_ = static_cast<Stacks*>(os::reserve(stacks_bytes_, os::Access::kReadWrite, nullptr));
  // Pointers in buffers keep what they point to from being a leak.
  if (__lsan_register_root_region != nullptr) {
    __lsan_register_root_region(engine.arena().at(0), engine.arena().bytes());
  }
}

Watch::~Watch() {
  if (memcheck_) {
    return;
  }
  if (__lsan_unregister_root_region != nullptr) {
    __lsan_unregister_root_region(engine_.arena().at(0), engine_.arena().bytes());
  }
  // What is mapped there next is not ours.
  for (uint32_t i = 1; i <= engine_.geometry().class_count; ++i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    // relaxed: the last one to know the pool.
    __asan_unpoison_memory_region(engine_.store().central(index).block_of(SlotIndex{0}),
                                  known_slots_[i].load(std::memory_order_relaxed) * size_of(index));
  }
  if (stacks_ != nullptr) {
    os::release(stacks_, stacks_bytes_);
  }
}

uint32_t Watch::slot_of(ClassIndex index, const void* address) const {
  const core::Arena& arena = engine_.arena();
  return raw(engine_.store().central(index).slot_of(arena.granule_at(arena.offset(address))));
}

// Has the tool report the use of slots that are committed and were never handed out; `slot` is one
// of them, or was.
void Watch::forbid_untouched(ClassIndex index, uint32_t slot) {
  std::atomic<uint32_t>& known = known_slots_[raw(index)];
  const core::Central& central = engine_.store().central(index);
  // acquire: pairs with the release below; a slot that is handed out was forbidden before.
  if (slot < known.load(std::memory_order_acquire)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  // relaxed: written under the lock.
  const uint32_t from = known.load(std::memory_order_relaxed);
  const uint32_t to = std::max(central.committed(), slot + 1);
  if (from >= to) {
    return;
  }
  const void* const start = central.block_of(SlotIndex{from});
  const size_t bytes = (to - from) * size_of(index);
  memcheck_ ? tools::memcheck_forbid(start, bytes) : __asan_poison_memory_region(start, bytes);
  // release: pairs with the acquire above.
  known.store(to, std::memory_order_release);
}

void Watch::note_taken(ClassIndex index, std::byte* start, bool zeroed) {
  const uint32_t slot = slot_of(index, start);
  forbid_untouched(index, slot);
  if (memcheck_) {
    return tools::memcheck_note_allocation(start, size_of(index), zeroed);
  }
  if (Stacks* const stacks = stacks_of(index, slot)) {
    stacks->taken.capture();
  }
  __asan_unpoison_memory_region(start, size_of(index));
}

void Watch::note_unspecified(ClassIndex index, std::byte* start) {
  if (memcheck_) {
    tools::memcheck_note_unspecified(start, size_of(index));
  }
}

void Watch::note_returned(ClassIndex index, std::byte* start) {
  if (memcheck_) {
    return tools::memcheck_note_free(start);
  }
  if (Stacks* const stacks = stacks_of(index, slot_of(index, start))) {
    stacks->returned.capture();
  }
  __asan_poison_memory_region(start, size_of(index));
}

std::byte* Watch::take_oldest(Waiting& waiting) {
  if (waiting.count == 0) {
    return nullptr;
  }
  std::byte* const oldest = waiting.ring[waiting.first];
  waiting.first = (waiting.first + 1) % waiting.ring.size();
  --waiting.count;
  return oldest;
}

std::byte* Watch::hold_back(ClassIndex index, std::byte* start) {
  const std::lock_guard lock(mutex_);
  Waiting& waiting = waiting_[raw(index)];
  std::byte* const oldest = waiting.count == waiting.ring.size() ? take_oldest(waiting) : nullptr;
  waiting.ring[(waiting.first + waiting.count) % waiting.ring.size()] = start;
  ++waiting.count;
  return oldest;
}

std::byte* Watch::let_go(ClassIndex index) {
  const std::lock_guard lock(mutex_);
  return take_oldest(waiting_[raw(index)]);
}

size_t Watch::waiting(ClassIndex index) const {
  const std::lock_guard lock(mutex_);
  return waiting_[raw(index)].count;
}

void Watch::report_second_return(const std::byte* start) const {
  if (memcheck_) {
    return tools::memcheck_note_free(start);  // reported as an invalid one
  }
  if (__sanitizer_print_stack_trace != nullptr) {
    __sanitizer_print_stack_trace();
  }
  describe(start);
}

void Watch::describe(const void* address) const {
  const core::Arena& arena = engine_.arena();
  if (!arena.owns(address) || memcheck_) {
    return;
  }
  const ClassIndex index = arena.class_of(arena.granule_at(arena.offset(address)));
  const uint32_t slot = slot_of(index, address);
  const core::Central& central = engine_.store().central(index);
  if (slot >= central.slots()) {
    return;
  }
  const auto* const start = static_cast<const std::byte*>(central.block_of(SlotIndex{slot}));
  os::Message message;
  message.line().address(address).text(" is ");
  message.line().number(static_cast<size_t>(static_cast<const std::byte*>(address) - start));
  message.line().text(" bytes inside a buffer of the ").number(size_of(index));
  message.line().text("-byte class");
  message.send();
  const Stacks* const stacks = stacks_of(index, slot);
  if (stacks == nullptr) {
    return;
  }
  if (stacks->taken.is_empty()) {
    os::Message never;
    never.line().text("never allocated");
    return never.send();
  }
  const bool live =
      arena.state(arena.granule_at(arena.offset(start))).load() == core::SlotState::kFirstLive;
  if (!live && !stacks->returned.is_empty()) {
    tell("returned", stacks->returned);
  }
  tell("allocated", stacks->taken);
}

}  // namespace spillway::pool
