// SPDX-License-Identifier: MIT
#include "bench/threads/all_to_all.h"

#include <sched.h>

#include <vector>

#include "bench/threads/spsc_ring.h"

namespace bench {
namespace {

constexpr int kSendsPerLook = 16;  // how often a thread looks for arrivals and at the stop flag

static_assert(AllToAllStandIns::kLines > (kMaxInAllToAll - 1) * SpscRing::kCapacity + 1,
              "a line would be rewritten before it is read");

struct alignas(64) Member {
  std::vector<Step> steps;  // index: which of the others
  std::size_t position = 0;
};

template <class Blocks>
class AllToAll final : public Work {
 public:
  AllToAll(int threads, SizeRange range)
      : count_(static_cast<std::size_t>(threads)), members_(count_), rings_(count_ * count_) {
    for (std::size_t thread = 0; thread < count_; ++thread) {
      members_[thread].steps = make_sequence(thread + 1, count_ - 1, range);
    }
  }

  int threads() const override { return static_cast<int>(count_); }
  void prepare(int) override {}

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    const auto self = static_cast<std::size_t>(thread);
    Member& member = members_[self];
    const Step* const steps = member.steps.data();
    std::size_t position = member.position;
    std::uint64_t sent = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kSendsPerLook; ++i) {
        const Step step = steps[position++ % kSequenceLength];
        void* block = Blocks::get(step.size());
        write_block<Use::kFirstWord>(block, step.size());
        if (!send(self, (self + 1 + step.index()) % count_, block, stop)) {
          Blocks::put(block);
          break;
        }
        ++sent;
      }
      receive(self);
    }
    for (std::size_t to = 0; to < count_; ++to) {
      ring(self, to).flush();
    }
    member.position = position;
    return sent;
  }

  // The crew's barrier is behind every thread's last run().
  void finish(int thread) override { receive(static_cast<std::size_t>(thread)); }

 private:
  SpscRing& ring(std::size_t from, std::size_t to) { return rings_[from * count_ + to]; }

  // Never waits for one thread alone: while the ring is full others are served, and when `stop` is
  // set it gives up. False: not sent.
  bool send(std::size_t self, std::size_t to, void* block, const std::atomic<bool>& stop) {
    while (!ring(self, to).try_push(block)) {
      if (receive(self) == 0) {
        if (stop.load(std::memory_order_relaxed)) {
          return false;
        }
        flush_all(self);
        sched_yield();
      }
    }
    return true;
  }

  void flush_all(std::size_t self) {
    for (std::size_t to = 0; to < count_; ++to) {
      ring(self, to).flush();
    }
  }

  // Frees what has arrived; returns how many blocks that was.
  std::size_t receive(std::size_t self) {
    std::size_t blocks = 0;
    for (std::size_t from = 0; from < count_; ++from) {
      while (void* block = ring(from, self).try_pop()) {
        read_block<Use::kFirstWord>(block, 0);
        Blocks::put(block);
        ++blocks;
      }
    }
    return blocks;
  }

  const std::size_t count_;
  std::vector<Member> members_;
  std::vector<SpscRing> rings_;
};

}  // namespace

template <class Blocks>
std::unique_ptr<Work> make_all_to_all(int threads, SizeRange range) {
  return std::make_unique<AllToAll<Blocks>>(threads, range);
}

template std::unique_ptr<Work> make_all_to_all<LoadedBlocks>(int, SizeRange);
template std::unique_ptr<Work> make_all_to_all<AllToAllStandIns>(int, SizeRange);

}  // namespace bench
