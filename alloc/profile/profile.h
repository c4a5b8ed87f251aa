// SPDX-License-Identifier: MIT
// The sampled heap profile: what stands behind each sampled block, by the stack that allocated it.
// The heap asks the sampler when to take a sample, tells the profile of it, and keeps the sample's
// number with the block until it is freed.
//
// Address space is reserved at the first start, 64 MiB, and committed as it is used: some 200 bytes
// for each distinct stack, 32 for each live sample. What finds no more room is counted and left
// out. No lock, no allocation; signal handlers and forked children go on with what they find.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/owned_cell.h"
#include "alloc/profile/live_samples.h"
#include "alloc/profile/sampler.h"
#include "alloc/profile/size_counts.h"
#include "alloc/profile/stack_table.h"
#include "alloc/profile/stack_walk.h"

namespace spillway::profile {

class Profile {
 public:
  // Numbers of samples fit in 24 bits.
  static constexpr uint32_t kMaxSamples = 1U << 20;

  // From now on one sample in `rate` bytes; again: the new rate, what there is stays. False when
  // the kernel gives no address space, or another thread starts it at this moment.
  bool start(uint64_t rate, uint64_t seed);
  // For tests: unmaps all.
  void release_memory();
  // No new samples; those that live are still told when they are freed.
  void stop();
  // Some nanoseconds.
  bool is_on() const { return is_on_.get_acquire(); }
  // Whether it was ever started: there is something to write.
  bool exists() const { return state_.load(std::memory_order_acquire) == State::kReady; }
  // Counts starts, from 1 on: what was drawn for an earlier one is to be drawn anew.
  uint32_t epoch() const { return epoch_.get(); }
  uint64_t rate() const { return sampler_.rate(); }
  Sampler& sampler() { return sampler_; }

  // A sampled block, for a request of `size` bytes that the draw took for `drawn_size`. Its number;
  // 0 when there was no room, and the block is an ordinary one. Microseconds: walks the stack.
  uint32_t note_allocation(const void* block, size_t size, size_t drawn_size);
  // Before the block may be handed out again.
  void note_free(const void* block, uint32_t sample);
  // The block has another size, and stays where it is. False: it is no sample any more. More of it
  // is counted where it was allocated.
  bool note_resize(const void* block, uint32_t sample, size_t size);
  // The request of a live one.
  size_t size_of(uint32_t sample) const { return samples_.get(sample).size; }

  // Of this program's frames, leading ones in the range are left out of stacks: the allocator's.
  void leave_out(AddressRange range) { own_ = range; }
  void recover_after_fork() { samples_.recover_after_fork(); }

  const StackTable& stacks() const { return stacks_; }
  // A block whose size changes where it is counts in both sizes.
  const SizeCounts& sizes() const { return sizes_; }
  // relaxed, all: counts.
  uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }
  uint64_t live() const {
    const uint64_t freed = freed_.load(std::memory_order_relaxed);
    const uint64_t taken = this->taken();
    return taken > freed ? taken - freed : 0;
  }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  // A sampled request that got no block that can be watched.
  void note_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }

 private:
  enum class State : uint8_t { kNone, kStarting, kReady };
  bool reserve();

  char* memory_ = nullptr;
  size_t memory_bytes_ = 0;
  std::atomic<State> state_{State::kNone};
  OwnedCell<bool> is_on_;
  OwnedCell<uint32_t> epoch_;
  AddressRange own_;
  RuleCache* rules_ = nullptr;  // from the first start on
  Sampler sampler_;
  StackTable stacks_;
  SizeCounts sizes_;
  LiveSamples samples_;
  std::atomic<uint64_t> taken_{0};
  std::atomic<uint64_t> freed_{0};
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace spillway::profile
