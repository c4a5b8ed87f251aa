// SPDX-License-Identifier: MIT
#include "alloc/profile/stack_table.h"

#include <algorithm>
#include <new>

namespace spillway::profile {
namespace {

uint64_t hash_of(const uintptr_t* frames, size_t count) {
  uint64_t hash = count;
  for (size_t i = 0; i < count; ++i) {
    hash = (hash ^ frames[i]) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

void StackTable::attach(void* heads, char* room, size_t room_bytes) {
  heads_ = static_cast<std::atomic<uint32_t>*>(heads);
  room_.attach(room, room_bytes);
}

// The number of the stack among those from `from` up to, but not including, `end`; 0: none.
uint32_t StackTable::look(uint32_t from, uint32_t end, uint64_t hash, const uintptr_t* frames,
                          size_t count) const {
  for (uint32_t number = from; number != end; number = at(number).older) {
    const Stack& stack = at(number);
    if (stack.hash == hash && stack.frame_count == count &&
        std::equal(frames, frames + count, stack.frames())) {
      return number;
    }
  }
  return 0;
}

uint32_t StackTable::make(uint64_t hash, const uintptr_t* frames, size_t count) {
  const size_t bytes = align_up(sizeof(Stack) + count * sizeof *frames, kUnit);
  // relaxed: places, which a stack's number hands over by its own release.
  size_t place = used_.load(std::memory_order_relaxed);
  do {
    if (!room_.reach(place + bytes)) {
      return 0;
    }
  } while (!used_.compare_exchange_weak(place, place + bytes, std::memory_order_relaxed));
  auto* const stack = ::new (static_cast<void*>(room_.start() + place)) Stack;
  stack->hash = hash;
  stack->frame_count = static_cast<uint32_t>(count);
  std::copy(frames, frames + count, stack->frames());
  return static_cast<uint32_t>(place / kUnit);
}

uint32_t StackTable::find(const uintptr_t* frames, size_t count) {
  const uint64_t hash = hash_of(frames, count);
  std::atomic<uint32_t>& head = heads_[hash % kHeads];
  // acquire: pairs with the release below; the stacks are complete.
  uint32_t first = head.load(std::memory_order_acquire);
  uint32_t found = look(first, 0, hash, frames, count);
  if (found != 0) {
    return found;
  }
  const uint32_t made = make(hash, frames, count);
  if (made == 0) {
    return 0;
  }
  for (uint32_t looked = first;; looked = first) {
    at(made).older = first;
    // release: pairs with the acquires here and in for_each(). Acquire on failure: as above.
    if (head.compare_exchange_strong(first, made, std::memory_order_release,
                                     std::memory_order_acquire)) {
      return made;
    }
    found = look(first, looked, hash, frames, count);
    if (found != 0) {
      return found;  // another thread was first: the room is lost
    }
  }
}

}  // namespace spillway::profile
