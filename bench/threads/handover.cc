// SPDX-License-Identifier: MIT
#include "bench/threads/handover.h"

#include "bench/threads/spsc_ring.h"

namespace bench {
namespace {

static_assert(NoBlocks::kLines > SpscRing::kCapacity,
              "a line would be rewritten before it is read");

template <class Blocks, Use use>
class Handover final : public Work {
 public:
  explicit Handover(std::size_t size) : size_(size) {}

  int threads() const override { return 2; }
  int lanes() const override { return 1; }
  void prepare(int) override {}
  void finish(int) override {}

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    return thread == 0 ? produce(stop) : consume();
  }

 private:
  // Ends with a null block. Counts nothing: the consumer does.
  std::uint64_t produce(const std::atomic<bool>& stop) {
    while (!stop.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < SpscRing::kBatch; ++i) {
        void* block = Blocks::get(size_);
        write_block<use>(block, size_);
        ring_.push(block);
      }
    }
    ring_.push(nullptr);
    ring_.flush();
    return 0;
  }

  std::uint64_t consume() {
    std::uint64_t blocks = 0;
    while (void* block = ring_.pop()) {
      read_block<use>(block, size_);
      Blocks::put(block);
      ++blocks;
    }
    return blocks;
  }

  const std::size_t size_;
  SpscRing ring_;
};

}  // namespace

template <class Blocks, Use use>
std::unique_ptr<Work> make_handover(std::size_t size) {
  return std::make_unique<Handover<Blocks, use>>(size);
}

template std::unique_ptr<Work> make_handover<LoadedBlocks, Use::kFirstWord>(std::size_t);
template std::unique_ptr<Work> make_handover<LoadedBlocks, Use::kAll>(std::size_t);
template std::unique_ptr<Work> make_handover<NoBlocks, Use::kFirstWord>(std::size_t);

}  // namespace bench
