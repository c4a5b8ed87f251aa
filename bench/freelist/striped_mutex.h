// SPDX-License-Identifier: MIT
// What a freelist is compared with: slots in vectors, each under a mutex of its own. The calls are
// those of alloc/core/freelist.h; a double free goes unnoticed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "alloc/base/index.h"

namespace bench {

class StripedMutexList {
 public:
  // As many threads never wait for each other, if their hints differ.
  static constexpr uint32_t kStripes = 16;

  // No slot is free at first. Room for all of them in every stripe: nothing allocates later.
  void attach(uint32_t slots) {
    stripes_ = std::make_unique<Stripe[]>(kStripes);
    for (uint32_t i = 0; i < kStripes; ++i) {
      stripes_[i].slots.reserve(slots);
    }
  }

  // `hint` is the stripe to begin with, and becomes the last that had slots.
  uint32_t take(uint32_t& hint, spillway::SlotIndex* out, uint32_t wanted) {
    uint32_t taken = 0;
    const uint32_t start = hint;
    for (uint32_t i = 0; i < kStripes && taken < wanted; ++i) {
      const uint32_t number = (start + i) % kStripes;
      Stripe& stripe = stripes_[number];
      const std::lock_guard lock(stripe.mutex);
      const size_t here = std::min<size_t>(stripe.slots.size(), wanted - taken);
      if (here != 0) {
        std::copy_n(stripe.slots.end() - static_cast<std::ptrdiff_t>(here), here, out + taken);
        stripe.slots.resize(stripe.slots.size() - here);
        taken += static_cast<uint32_t>(here);
        hint = number;
      }
    }
    return taken;
  }

  void put(uint32_t& hint, const spillway::SlotIndex* slots, uint32_t count) {
    Stripe& stripe = stripes_[hint % kStripes];
    const std::lock_guard lock(stripe.mutex);
    stripe.slots.insert(stripe.slots.end(), slots, slots + count);
  }

  uint32_t count(uint32_t /*slots*/) const {
    size_t sum = 0;
    for (uint32_t i = 0; i < kStripes; ++i) {
      const std::lock_guard lock(stripes_[i].mutex);
      sum += stripes_[i].slots.size();
    }
    return static_cast<uint32_t>(sum);
  }

 private:
  struct alignas(128) Stripe {
    std::mutex mutex;
    std::vector<spillway::SlotIndex> slots;
  };
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace bench
