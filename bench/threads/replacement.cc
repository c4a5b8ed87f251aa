// SPDX-License-Identifier: MIT
#include "bench/threads/replacement.h"

#include <algorithm>
#include <vector>

namespace bench {
namespace {

constexpr int kStepsPerLook = 64;  // how often a thread looks at the stop flag

// More threads share these, each from another step on: drawing a sequence takes milliseconds.
constexpr std::size_t kSequences = 8;

struct alignas(64) Owner {
  const Step* steps = nullptr;
  std::vector<void*> blocks;
  std::size_t position = 0;
};

template <class Blocks, Use use>
class Replacement final : public Work {
 public:
  explicit Replacement(ReplacementPlan plan)
      : plan_(plan), owners_(static_cast<std::size_t>(plan.threads)) {
    const std::size_t sequences = std::min(owners_.size(), kSequences);
    for (std::size_t i = 0; i < sequences; ++i) {
      sequences_.push_back(make_sequence(i + 1, plan.live, plan.range));
    }
    for (std::size_t thread = 0; thread < owners_.size(); ++thread) {
      owners_[thread].steps = sequences_[thread % kSequences].data();
      owners_[thread].position = thread / kSequences * kSequenceLength / kSequences;
    }
  }

  int threads() const override { return plan_.threads; }

  void prepare(int thread) override {
    Owner& owner = owners_[static_cast<std::size_t>(thread)];
    owner.blocks.resize(plan_.live);
    for (std::size_t i = 0; i < plan_.live; ++i) {
      // The sizes from the sequence's end: a set as it would be had the sequence run before.
      const std::size_t size = owner.steps[kSequenceLength - 1 - i].size();
      owner.blocks[i] = Blocks::get(size);
      write_block<use>(owner.blocks[i], size);
    }
  }

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    Owner& owner = owners_[static_cast<std::size_t>(thread)];
    const Step* const steps = owner.steps;
    void** const blocks = owner.blocks.data();
    std::size_t position = owner.position;
    std::uint64_t operations = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kStepsPerLook; ++i) {
        const Step step = steps[position++ % kSequenceLength];
        void*& block = blocks[step.index()];
        Blocks::put(block);
        block = Blocks::get(step.size());
        write_block<use>(block, step.size());
      }
      operations += kStepsPerLook;
    }
    owner.position = position;
    return operations;
  }

  void finish(int thread) override {
    for (void* block : owners_[static_cast<std::size_t>(thread)].blocks) {
      Blocks::put(block);
    }
  }

 private:
  const ReplacementPlan plan_;
  std::vector<std::vector<Step>> sequences_;
  std::vector<Owner> owners_;
};

}  // namespace

template <class Blocks, Use use>
std::unique_ptr<Work> make_replacement(ReplacementPlan plan) {
  return std::make_unique<Replacement<Blocks, use>>(plan);
}

template std::unique_ptr<Work> make_replacement<LoadedBlocks, Use::kNone>(ReplacementPlan);
template std::unique_ptr<Work> make_replacement<LoadedBlocks, Use::kFirstWord>(ReplacementPlan);
template std::unique_ptr<Work> make_replacement<NoBlocks, Use::kNone>(ReplacementPlan);

}  // namespace bench
