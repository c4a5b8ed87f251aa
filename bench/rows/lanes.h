// SPDX-License-Identifier: MIT
// A workload of threads that each repeat the same round on data of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bench/threads/crew.h"

namespace bench {

// Lane::round() does the work once and returns how many operations that was. Lanes are made, and
// ended, by the thread that works with them.
template <class Lane>
class Lanes final : public Work {
 public:
  using Make = std::function<Lane(int thread)>;

  Lanes(int threads, Make make) : make_(std::move(make)), lanes_(static_cast<size_t>(threads)) {}

  int threads() const override { return static_cast<int>(lanes_.size()); }
  void prepare(int thread) override { own(thread).lane.emplace(make_(thread)); }
  void finish(int thread) override { own(thread).lane.reset(); }

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    constexpr int kRoundsPerLook = 16;
    Lane& lane = *own(thread).lane;
    std::uint64_t operations = 0;
    // relaxed: the crew's barriers order what matters.
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kRoundsPerLook; ++i) {
        operations += lane.round();
      }
    }
    return operations;
  }

 private:
  // Two lines apart: processors fetch lines in pairs.
  struct alignas(128) Place {
    std::optional<Lane> lane;
  };
  Place& own(int thread) { return lanes_[static_cast<size_t>(thread)]; }

  const Make make_;
  std::vector<Place> lanes_;
};

template <class Make>
std::unique_ptr<Work> make_lanes(int threads, Make make) {
  using Lane = std::invoke_result_t<Make, int>;
  return std::make_unique<Lanes<Lane>>(threads, std::move(make));
}

}  // namespace bench
