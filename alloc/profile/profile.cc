// SPDX-License-Identifier: MIT
#include "alloc/profile/profile.h"

#include "alloc/base/bits.h"
#include "alloc/os/os.h"
#include "alloc/profile/probes.h"
#include "alloc/profile/rule_cache.h"

namespace spillway::profile {

// | lists' heads | free numbers | rule cache | stacks ............ | live samples ............ |
//   committed                                  committed as they grow
bool Profile::reserve() {
  constexpr size_t kStackRoom = 32 * kMiB;
  const size_t page = os::page_size();
  const size_t heads = align_up(StackTable::kHeadsBytes, page);
  const size_t numbers = align_up(LiveSamples::numbers_bytes(kMaxSamples), page);
  const size_t rules = align_up(sizeof(RuleCache), page);
  const size_t first = heads + numbers + rules;
  const size_t samples = align_up(LiveSamples::samples_bytes(kMaxSamples), page);
  const size_t bytes = first + kStackRoom + samples;
  auto* const memory = static_cast<char*>(os::reserve(bytes, os::Access::kNone, nullptr));
  if (memory == nullptr) {
    return false;
  }
  if (!os::commit(memory, first)) {
    os::release(memory, bytes);
    return false;
  }
  stacks_.attach(memory, memory + first, kStackRoom);
  samples_.attach(memory + heads, memory + first + kStackRoom, kMaxSamples);
  rules_ = reinterpret_cast<RuleCache*>(memory + heads + numbers);
  memory_ = memory;
  memory_bytes_ = bytes;
  return true;
}

void Profile::release_memory() {
  if (memory_ != nullptr) {
    os::release(memory_, memory_bytes_);
  }
}

bool Profile::start(uint64_t rate, uint64_t seed) {
  // acquire: pairs with the release below; the tables are there.
  State seen = state_.load(std::memory_order_acquire);
  if (seen == State::kNone) {
    // relaxed: the winner is the only one to go on.
    if (!state_.compare_exchange_strong(seen, State::kStarting, std::memory_order_relaxed)) {
      return false;
    }
    const bool reserved = reserve();
    // release: pairs with the acquires above and in exists().
    state_.store(reserved ? State::kReady : State::kNone, std::memory_order_release);
    if (!reserved) {
      return false;
    }
  } else if (seen != State::kReady) {
    return false;
  }
  sampler_.start(rate, seed);
  epoch_.add(1);
  // release: pairs with the acquire in is_on(); the tables go with it.
  is_on_.set_release(true);
  return true;
}

void Profile::stop() { is_on_.set_release(false); }

uint32_t Profile::note_allocation(const void* block, size_t size, size_t drawn_size) {
  uintptr_t frames[kMaxFrames];
  const size_t count = walk_stack(own_, frames, rules_);
  const Sampler::Weight weight = sampler_.weight(size, drawn_size);
  const uint32_t stack = stacks_.find(frames, count);
  const uint32_t number =
      stack != 0 ? samples_.add({.stack = stack, .size = size, .weight = weight}) : 0;
  if (number == 0) {
    note_dropped();
    return 0;
  }
  stacks_.at(stack).counts.allocated(weight);
  sizes_.allocated(size, weight);
  taken_.fetch_add(1, std::memory_order_relaxed);
  probe_alloc(block, size, weight.bytes);
  return number;
}

bool Profile::note_resize(const void* block, uint32_t number, size_t size) {
  const LiveSamples::Sample before = samples_.get(number);
  if (size < before.size && !sampler_.stays_sample(before.size, size)) {
    note_free(block, number);
    return false;
  }
  LiveSamples::Sample after = before;
  after.size = size;
  after.weight = sampler_.weight(size, size);
  samples_.set(number, after);
  StackCounts& counts = stacks_.at(before.stack).counts;
  size > before.size ? counts.allocated(after.weight - before.weight)
                     : counts.freed(before.weight - after.weight);
  sizes_.freed(before.size, before.weight);
  sizes_.allocated(size, after.weight);
  return true;
}

void Profile::note_free(const void* block, uint32_t sample) {
  probe_free(block);
  const LiveSamples::Sample freed = samples_.remove(sample);
  freed_.fetch_add(1, std::memory_order_relaxed);
  stacks_.at(freed.stack).counts.freed(freed.weight);
  sizes_.freed(freed.size, freed.weight);
}

}  // namespace spillway::profile
