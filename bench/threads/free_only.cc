// SPDX-License-Identifier: MIT
#include "bench/threads/free_only.h"

#include <sched.h>

#include "bench/threads/blocks.h"
#include "bench/threads/spsc_ring.h"

namespace bench {
namespace {

constexpr std::size_t kConsumers = 3;

class FreeOnly final : public Work {
 public:
  explicit FreeOnly(std::size_t size) : size_(size) {}

  int threads() const override { return 1 + kConsumers; }
  int lanes() const override { return 1; }
  void prepare(int) override {}
  void finish(int) override {}

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    return thread == 0 ? produce(stop) : consume(rings_[thread - 1]);
  }

 private:
  // Ends with a null block for each consumer. Counts nothing: they do.
  std::uint64_t produce(const std::atomic<bool>& stop) {
    std::size_t turn = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < SpscRing::kBatch; ++i) {
        void* block = LoadedBlocks::get(size_);
        write_block<Use::kFirstWord>(block, size_);
        send(block, turn);
      }
      ++turn;
    }
    for (SpscRing& ring : rings_) {
      ring.push(nullptr);
      ring.flush();
    }
    return 0;
  }

  // To ring `turn` or the next one with room. Consumers end only with a null block, so one of them
  // makes room in the end.
  void send(void* block, std::size_t& turn) {
    for (std::size_t full = 0; !rings_[turn % kConsumers].try_push(block); ++turn) {
      if (++full % kConsumers == 0) {
        sched_yield();
      }
    }
  }

  std::uint64_t consume(SpscRing& ring) {
    std::uint64_t blocks = 0;
    while (void* block = ring.pop()) {
      read_block<Use::kFirstWord>(block, size_);
      LoadedBlocks::put(block);
      ++blocks;
    }
    return blocks;
  }

  const std::size_t size_;
  SpscRing rings_[kConsumers];
};

}  // namespace

std::unique_ptr<Work> make_free_only(std::size_t size) { return std::make_unique<FreeOnly>(size); }

}  // namespace bench
