// SPDX-License-Identifier: MIT
// The distinct stacks that samples were taken at, each once, with what was allocated and freed
// there. Stacks are never removed.
//
//   heads: a hash's newest stack --> older one --> ...      numbers; 0 ends a list
//   room:  | stack | stack | stack | committed | reserved   a number counts 16 bytes
//
// Lock-free and complete at every moment: signal handlers and forked children find what is linked.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/profile/growing_memory.h"
#include "alloc/profile/sampler.h"

namespace spillway::profile {

// Bytes and blocks (as Sampler::Weight has them) at one stack. relaxed, all: counts, which order
// nothing.
class StackCounts {
 public:
  void allocated(Sampler::Weight weight) { allocated_.add(weight); }
  void freed(Sampler::Weight weight) { freed_.add(weight); }

  struct Sum {
    Sampler::Weight allocated;
    Sampler::Weight live;
  };
  // Freed first: what is live is never negative.
  Sum sum() const {
    const Sampler::Weight freed = freed_.get();
    const Sampler::Weight allocated = allocated_.get();
    return {.allocated = allocated,
            .live = {.blocks = allocated.blocks - std::min(freed.blocks, allocated.blocks),
                     .bytes = allocated.bytes - std::min(freed.bytes, allocated.bytes)}};
  }

 private:
  struct Count {
    void add(Sampler::Weight weight) {
      blocks.fetch_add(weight.blocks, std::memory_order_relaxed);
      bytes.fetch_add(weight.bytes, std::memory_order_relaxed);
    }
    Sampler::Weight get() const {
      return {.blocks = blocks.load(std::memory_order_relaxed),
              .bytes = bytes.load(std::memory_order_relaxed)};
    }
    std::atomic<uint64_t> blocks{0};
    std::atomic<uint64_t> bytes{0};
  };
  Count allocated_;
  Count freed_;
};

struct Stack {
  StackCounts counts;
  uint64_t hash;
  uint32_t older;  // of the same list
  uint32_t frame_count;

  const uintptr_t* frames() const { return reinterpret_cast<const uintptr_t*>(this + 1); }
  uintptr_t* frames() { return reinterpret_cast<uintptr_t*>(this + 1); }
};

class StackTable {
 public:
  // Bytes of zeroed, committed memory for the lists' heads.
  static constexpr size_t kHeads = size_t{1} << 14;  // arbitrary: ten stacks each when all is full
  static constexpr size_t kHeadsBytes = kHeads * sizeof(std::atomic<uint32_t>);

  // `room`: reserved address space, at most 64 GiB.
  void attach(void* heads, char* room, size_t room_bytes);

  // The number of the stack with these frames, which is made where there is none; 0 when there is
  // no more room. Some 100 ns.
  uint32_t find(const uintptr_t* frames, size_t count);

  Stack& at(uint32_t number) const {
    return *reinterpret_cast<Stack*>(room_.start() + size_t{number} * kUnit);
  }

  // Calls `action(const Stack&)` for each.
  template <typename Action>
  void for_each(Action action) const {
    for (size_t head = 0; heads_ != nullptr && head < kHeads; ++head) {
      // acquire: pairs with the release in find(); the stack is complete.
      uint32_t number = heads_[head].load(std::memory_order_acquire);
      for (; number != 0; number = at(number).older) {
        action(at(number));
      }
    }
  }

 private:
  static constexpr size_t kUnit = 16;

  uint32_t look(uint32_t from, uint32_t end, uint64_t hash, const uintptr_t* frames,
                size_t count) const;
  uint32_t make(uint64_t hash, const uintptr_t* frames, size_t count);

  std::atomic<uint32_t>* heads_ = nullptr;
  GrowingMemory room_;
  std::atomic<size_t> used_{kUnit};  // number 0 is none
};

}  // namespace spillway::profile
