// SPDX-License-Identifier: MIT
#include "alloc/profile/live_samples.h"

#include "alloc/base/index.h"

namespace spillway::profile {

void LiveSamples::attach(void* numbers, char* samples, uint32_t max_samples) {
  free_.attach(numbers, max_samples);
  cells_.attach(samples, samples_bytes(max_samples));
  max_ = max_samples;
}

uint32_t LiveSamples::add(const Sample& sample) {
  uint32_t hint = 0;
  SlotIndex index;
  uint32_t number = 0;
  if (free_.take(hint, &index, 1) != 0) {
    number = raw(index) + 1;
  } else {
    // relaxed: only the number matters.
    uint32_t last = numbered_.load(std::memory_order_relaxed);
    do {
      if (last >= max_ || !cells_.reach(samples_bytes(last + 1))) {
        return 0;
      }
    } while (!numbered_.compare_exchange_weak(last, last + 1, std::memory_order_relaxed));
    number = last + 1;
  }
  set(number, sample);
  return number;
}

void LiveSamples::set(uint32_t number, const Sample& sample) {
  Cell& kept = cell(number);
  kept.size.store(sample.size, std::memory_order_relaxed);
  kept.blocks.store(sample.weight.blocks, std::memory_order_relaxed);
  kept.bytes.store(sample.weight.bytes, std::memory_order_relaxed);
  kept.stack.store(sample.stack, std::memory_order_relaxed);
}

LiveSamples::Sample LiveSamples::get(uint32_t number) const {
  const Cell& kept = cell(number);
  return {.stack = kept.stack.load(std::memory_order_relaxed),
          .size = kept.size.load(std::memory_order_relaxed),
          .weight = {.blocks = kept.blocks.load(std::memory_order_relaxed),
                     .bytes = kept.bytes.load(std::memory_order_relaxed)}};
}

LiveSamples::Sample LiveSamples::remove(uint32_t number) {
  const Sample sample = get(number);
  uint32_t hint = (number - 1) / core::Freelist::kSlotsPerWord;
  const SlotIndex index{number - 1};
  static_cast<void>(free_.put(hint, &index, 1));  // never there twice: it was in use
  return sample;
}

void LiveSamples::recover_after_fork() {
  if (max_ != 0) {
    free_.repair(numbered_.load(std::memory_order_relaxed));
  }
}

}  // namespace spillway::profile
