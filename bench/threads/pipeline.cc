// SPDX-License-Identifier: MIT
#include "bench/threads/pipeline.h"

#include "bench/threads/spsc_ring.h"

namespace bench {
namespace {

constexpr int kThreads = 4;
constexpr int kRings = kThreads - 1;

static_assert(PipelineStandIns::kLines > kRings * (SpscRing::kCapacity + 1),
              "a line would be rewritten before it is read");

template <class Blocks>
class Pipeline final : public Work {
 public:
  explicit Pipeline(std::size_t size) : size_(size) {}

  int threads() const override { return kThreads; }
  int lanes() const override { return 1; }
  void prepare(int) override {}
  void finish(int) override {}

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    if (thread == 0) {
      return produce(rings_[0], stop);
    }
    SpscRing& from = rings_[thread - 1];
    return thread == kThreads - 1 ? consume(from) : pass_on(from, rings_[thread]);
  }

 private:
  // Ends with a null block, which every stage passes on. Counts nothing: the consumer does.
  std::uint64_t produce(SpscRing& to, const std::atomic<bool>& stop) {
    while (!stop.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < SpscRing::kBatch; ++i) {
        void* block = Blocks::get(size_);
        write_block<Use::kFirstWord>(block, size_);
        to.push(block);
      }
    }
    to.push(nullptr);
    to.flush();
    return 0;
  }

  std::uint64_t pass_on(SpscRing& from, SpscRing& to) {
    while (void* block = from.pop()) {
      read_block<Use::kFirstWord>(block, size_);
      to.push(block);
    }
    to.push(nullptr);
    to.flush();
    return 0;
  }

  std::uint64_t consume(SpscRing& from) {
    std::uint64_t blocks = 0;
    while (void* block = from.pop()) {
      Blocks::put(block);
      ++blocks;
    }
    return blocks;
  }

  const std::size_t size_;
  SpscRing rings_[kRings];
};

}  // namespace

template <class Blocks>
std::unique_ptr<Work> make_pipeline(std::size_t size) {
  return std::make_unique<Pipeline<Blocks>>(size);
}

template std::unique_ptr<Work> make_pipeline<LoadedBlocks>(std::size_t);
template std::unique_ptr<Work> make_pipeline<PipelineStandIns>(std::size_t);

}  // namespace bench
