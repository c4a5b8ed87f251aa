// SPDX-License-Identifier: MIT
// A pool under AddressSanitizer or memcheck: tells the tool which buffers are in use, so that it
// reports a use after the return, one beyond the end, and where both happened. Such a pool has no
// thread caches, so that every buffer passes here; and a returned one waits behind others before
// it is handed out again.
//
// AddressSanitizer knows stacks of its own heap's blocks only: those of buffers are kept here, and
// told after its report. memcheck keeps them itself.
//
// Any thread; a lock and some microseconds a call.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "alloc/base/index.h"
#include "alloc/core/engine.h"
#include "alloc/core/slot_store.h"
#include "alloc/tools/stack.h"

namespace spillway::pool {

class Watch {
 public:
  using Engine = core::Engine<core::SlotStore>;

  // Of a pool whose engine has started; null in a process without such a tool, and where the tool
  // was told not to listen (ASAN_OPTIONS=allow_user_poisoning=0). `describe` is called with the
  // address of each of AddressSanitizer's reports, at its end.
  static std::unique_ptr<Watch> make(Engine& engine, void (*describe)(const void* address));
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // A buffer is about to be handed out.
  void note_taken(ClassIndex index, std::byte* start, bool zeroed);
  // And its contents are nothing to rely on, although it reads as zero.
  void note_unspecified(ClassIndex index, std::byte* start);
  // A buffer is returned.
  void note_returned(ClassIndex index, std::byte* start);

  // Buffers that were returned and wait: puts one there, and gives the oldest when they are too
  // many, otherwise null.
  std::byte* hold_back(ClassIndex index, std::byte* start);
  // The oldest, or null.
  std::byte* let_go(ClassIndex index);
  // How many wait.
  size_t waiting(ClassIndex index) const;

  // A buffer is returned that is not in use: tells from where, and what describe() does.
  void report_second_return(const std::byte* start) const;
  // Lines on stderr about the buffer that an address is in, if there is one.
  void describe(const void* address) const;

  // For fork().
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Stacks {
    tools::Stack taken;
    tools::Stack returned;
  };
  // The oldest of them at `first`, in a ring.
  struct Waiting {
    std::vector<std::byte*> ring;
    size_t first = 0;
    size_t count = 0;
  };

  Watch(Engine& engine, bool memcheck);
  void forbid_untouched(ClassIndex index, uint32_t slot);
  std::byte* take_oldest(Waiting& waiting);
  size_t size_of(ClassIndex index) const { return engine_.geometry().of(index).block_size; }
  uint32_t slot_of(ClassIndex index, const void* address) const;
  Stacks* stacks_of(ClassIndex index, uint32_t slot) const {
    return stacks_ == nullptr ? nullptr : &stacks_[first_slot_[raw(index)] + slot];
  }

  Engine& engine_;
  const bool memcheck_;
  Stacks* stacks_ = nullptr;  // by slot, classes one after the other; null without memory for it
  size_t stacks_bytes_ = 0;
  size_t first_slot_[kMaxClasses] = {};
  // Slots below these were told to the tool.
  std::atomic<uint32_t> known_slots_[kMaxClasses] = {};
  mutable std::mutex mutex_;
  Waiting waiting_[kMaxClasses];
};

}  // namespace spillway::pool
