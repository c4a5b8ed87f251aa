// SPDX-License-Identifier: MIT
// Blocks that are hard to misuse unnoticed: hardened mode's, and the sampled ones of the others.
//
// A small block is at the start of its slot, a canary behind it. One of a page and more is at the
// end of its slot. But for the alignment, the first byte behind it is on the next slot's
// inaccessible page:
//
//   | guard page | inaccessible | canary | block ........ | canary | guard page of the next slot
//                               | accessible pages                 |
//
// A pointer is a block's if and only if its slot says that a live block starts there: free()
// refuses all others, and of two threads that free one block at once one is refused. Any thread,
// signal handlers included; no lock. Cost: some 50 ns for a small block and two system calls for
// one of 4 KiB and more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/guard/parts.h"
#include "alloc/guard/random.h"
#include "alloc/guard/slot_pool.h"

namespace spillway::guard {

enum class Damage : uint8_t {
  kUnderflow,  // written in front of the block
  kOverflow,   // written behind it
  kWhileFree   // written when it was free; the size is 0 if it never was a block
};

class GuardedHeap {
 public:
  // Called with a block whose surroundings or free memory were written to, before it is freed or
  // reused. It may abort the process.
  using DamageHandler = void (*)(Damage damage, const void* block, size_t size);

  // See SlotPool::start().
  bool start(size_t region_bytes, const Parts& parts, DamageHandler on_damage, core::Range& gate);
  void stop();  // for tests

  bool owns(const void* pointer) const { return slots_.owns(pointer); }

  enum class Place : uint8_t { kBySize, kOwnPages };
  struct Request {
    size_t size;
    size_t alignment = 1;  // a power of two
    bool zeroed = false;
    Place place = Place::kBySize;  // kOwnPages: between guard pages however small
    uint8_t tenant = 0;            // what free() finds
  };
  // Null: too long, no address space or memory left. Exactly `size` bytes may be used.
  void* allocate(const Request& request);

  enum class Where : uint8_t {
    kLive,    // a live block starts there
    kInside,  // in a live block, or in front of it in its slot
    kFreed,   // a block that was freed started there
    kNowhere  // none did
  };
  struct Found {
    Where where = Where::kNowhere;
    uintptr_t start = 0;
    size_t size = 0;
    uint8_t tenant = 0;  // of one that free() made free
  };
  // Of an address that the heap owns.
  Found look(const void* pointer) const;

  // Of an address that the heap owns and that could not be accessed: the block that the access was
  // for, by distance; kLive or kFreed, or kNowhere.
  Found nearest(const void* address) const;

  // kLive: it was, and is free now. Otherwise nothing has changed.
  Found free(void* pointer);

  // Bytes of live blocks, their number, and how many there ever were.
  uint64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }
  uint64_t live_blocks() const { return live_blocks_.load(std::memory_order_relaxed); }
  uint64_t allocations() const { return allocations_.load(std::memory_order_relaxed); }
  // See SlotPool.
  void give_up_untouched() { slots_.give_up_untouched(); }
  uint64_t untouched_bytes() const { return slots_.untouched_bytes(); }

  // Memory that live blocks may have, and small slots ever had.
  uint64_t held_bytes() const {
    return slots_.grown_small_bytes() + paged_bytes_.load(std::memory_order_relaxed);
  }

 private:
  // Where a block and what surrounds it are in a slot; addresses.
  struct Layout {
    uintptr_t slot;
    uintptr_t open;   // the first accessible byte
    uintptr_t start;  // the block's
    uintptr_t end;
    uintptr_t close;  // the end of what is accessible
  };
  // Bytes behind a block that hold a canary, at the least.
  size_t canary_bytes(bool paged) const;
  // Whether memory reads as zero when a block is laid out in it.
  bool reads_as_zero(const SlotClass& kind, SlotName slot, SlotContents before,
                     const Layout& layout) const;
  Layout lay_out(SlotName slot, size_t size, size_t alignment) const;
  Layout layout_of(SlotName slot, SlotContents contents) const;
  uint32_t class_for(const Request& request) const;

  bool open(const SlotClass& kind, const Layout& layout, SlotContents before) const;
  // False: accessible, although guard pages were to prevent that.
  bool close(const SlotClass& kind, const Layout& layout) const;
  // Memory that reads as zero when a slot is free, without being inaccessible.
  bool is_wiped(const SlotClass& kind) const {
    return parts_.zero_on_free && !(kind.paged && parts_.guard_pages);
  }
  void check_wiped(const Layout& layout) const;
  void write_canaries(const Layout& layout) const;
  void check_canaries(const Layout& layout) const;
  void count(const SlotClass& kind, const Layout& layout, bool taken);

  Parts parts_;
  DamageHandler on_damage_ = nullptr;
  Random random_;
  uint64_t canary_key_ = 0;
  SlotPool slots_;
  // relaxed, all: counts.
  std::atomic<uint64_t> live_bytes_{0};
  std::atomic<uint64_t> live_blocks_{0};
  std::atomic<uint64_t> allocations_{0};
  std::atomic<uint64_t> paged_bytes_{0};
};

}  // namespace spillway::guard
