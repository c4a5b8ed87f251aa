// SPDX-License-Identifier: MIT
#include "bench/threads/thread_churn.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace bench {
namespace {

struct alignas(64) Parent {
  std::vector<Step> steps;
  std::size_t position = 0;
};

template <class Blocks>
void* life(void* argument) {
  Parent& parent = *static_cast<Parent*>(argument);
  void* blocks[kBlocksOfALife];
  for (void*& block : blocks) {
    const std::size_t size = parent.steps[parent.position++ % kSequenceLength].size();
    block = Blocks::get(size);
    write_block<Use::kFirstWord>(block, size);
  }
  for (void* block : blocks) {
    Blocks::put(block);
  }
  return nullptr;
}

template <class Blocks>
class ThreadChurn final : public Work {
 public:
  ThreadChurn(int threads, SizeRange range) : parents_(static_cast<std::size_t>(threads)) {
    for (std::size_t i = 0; i < parents_.size(); ++i) {
      parents_[i].steps = make_sequence(i + 1, 1, range);
    }
  }

  int threads() const override { return static_cast<int>(parents_.size()); }
  // A thread and the one that it has created share a core.
  bool queues() const override { return true; }
  void prepare(int) override {}
  void finish(int) override {}

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    std::uint64_t lives = 0;
    for (; !stop.load(std::memory_order_relaxed); ++lives) {
      pthread_t child{};
      const int error = pthread_create(&child, nullptr, life<Blocks>,
                                       &parents_[static_cast<std::size_t>(thread)]);
      if (error != 0) {
        std::fprintf(stderr, "bench_threads: no thread: %s\n", std::strerror(error));
        std::_Exit(1);
      }
      pthread_join(child, nullptr);
    }
    return lives;
  }

 private:
  std::vector<Parent> parents_;
};

}  // namespace

template <class Blocks>
std::unique_ptr<Work> make_thread_churn(int threads, SizeRange range) {
  return std::make_unique<ThreadChurn<Blocks>>(threads, range);
}

template std::unique_ptr<Work> make_thread_churn<LoadedBlocks>(int, SizeRange);
template std::unique_ptr<Work> make_thread_churn<NoBlocks>(int, SizeRange);

}  // namespace bench
