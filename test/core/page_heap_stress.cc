// SPDX-License-Identifier: MIT
// Blocks of all kinds are taken, resized and given back, by one thread against a list of what is
// taken, and by several while another purges. Contents stay their owners'.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "test/core/page_heap_fixture.h"
#include "test/random.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr uint32_t kSteps = 20000;
constexpr uint32_t kThreads = 4;
constexpr uint32_t kThreadSteps = 6000;

// Some words of each page, and the last of all, say whose the block is.
struct Held {
  uint64_t* block;
  size_t bytes;
  uint64_t stamp;

  template <typename Action>
  void for_each_sample(Action action) const {
    const size_t words = bytes / sizeof(uint64_t);
    for (size_t at = 0; at < words; at += 64) {
      action(at);
    }
    action(words - 1);
  }
  void write() const {
    for_each_sample([this](size_t at) { block[at] = stamp + at; });
  }
  // How many of the first `most` bytes' words are not as they were written.
  int differences(size_t most = SIZE_MAX) const {
    int sum = 0;
    for_each_sample([&](size_t at) {
      const bool inside = (at + 1) * sizeof(uint64_t) <= most;
      sum += inside && block[at] != stamp + at ? 1 : 0;
    });
    return sum;
  }
};

class Worker {
 public:
  // `model`: of all that is taken, when there is one worker alone.
  Worker(PageHeapFixture& fixture, uint32_t seed, Extents* model = nullptr)
      : fixture_(fixture),
        model_(model),
        random_(seed),
        hint_(fixture.heap.start_hint(kNoClass, seed)),
        stamp_(uint64_t{seed} << 40) {}

  void step(size_t max_held) {
    const uint32_t dice = random_();
    if (held_.size() < max_held && dice % 2 == 0) {
      take(dice / 2);
    } else if (!held_.empty() && dice % 8 == 1) {
      resize(dice / 8, held_[dice / 8 % held_.size()]);
    } else if (!held_.empty()) {
      const size_t at = dice / 8 % held_.size();
      give(held_[at]);
      held_[at] = held_.back();
      held_.pop_back();
    }
  }
  void give_all() {
    for (const Held& one : held_) {
      give(one);
    }
    held_.clear();
  }
  int errors() const { return errors_; }
  uint32_t taken() const { return taken_; }
  uint32_t resized() const { return resized_; }

 private:
  // As many of each magnitude, up to 1 MiB.
  size_t pooled_size() {
    const size_t least = size_t{4 * kKiB} << random_() % 8;
    return least + random_() % least;
  }
  void take(uint32_t dice) {
    void* blocks[6] = {};
    uint32_t count = 1;
    PageHeap& heap = fixture_.heap;
    const size_t alignment = kGranuleSize << dice % 10;
    switch (dice / 16 % 8) {
      case 0:
        blocks[0] = heap.take_large(kMiB + random_() % (3 * kMiB), dice % 2 == 0 ? 1 : alignment);
        break;
      case 1:
        blocks[0] = heap.take_aligned(heap_class(pooled_size()), alignment);
        break;
      default: {
        count = heap.take(heap_class(pooled_size()), hint_, blocks, dice % 6 + 1);
      }
    }
    for (uint32_t i = 0; i < count && blocks[i] != nullptr; ++i) {
      add(blocks[i]);
    }
  }
  void add(void* block) {
    const bool is_pooled = fixture_.class_of(block) != kNoClass;
    const bool is_clean = is_pooled && fixture_.is_clean(block);
    fixture_.mark_live(block);
    const Held one{static_cast<uint64_t*>(block), fixture_.heap.usable(block), stamp_ += 1 << 24};
    errors_ += model_ != nullptr && !model_->add(block) ? 1 : 0;
    if (is_clean) {
      one.for_each_sample([&](size_t at) { errors_ += one.block[at] != 0 ? 1 : 0; });
    }
    one.write();
    held_.push_back(one);
    ++taken_;
  }
  void resize(uint32_t dice, Held& one) {
    const bool pooled = dice % 4 != 0;
    const size_t size = pooled ? pooled_size() : kMiB + random_() % (3 * kMiB);
    errors_ += one.differences();
    if (model_ != nullptr) {
      model_->remove(one.block);
    }
    const ClassIndex index = pooled ? heap_class(size) : kNoClass;
    if (fixture_.heap.resize(one.block, index, size)) {
      const size_t usable = fixture_.heap.usable(one.block);
      errors_ += one.differences(usable);
      one.bytes = usable;
      errors_ += one.bytes < size ? 1 : 0;
      one.write();
      ++resized_;
    }
    errors_ += fixture_.heap.usable(one.block) != one.bytes ? 1 : 0;
    errors_ += model_ != nullptr && !model_->add(one.block) ? 1 : 0;
  }
  void give(const Held& one) {
    errors_ += one.differences();
    if (model_ != nullptr) {
      model_->remove(one.block);
    }
    fixture_.state(one.block).store(SlotState::kFree);
    const ClassIndex index = fixture_.class_of(one.block);
    void* block = one.block;
    errors_ += index != kNoClass ? fixture_.heap.put(index, hint_, &block, 1) != nullptr
                                 : !fixture_.heap.give_large(block);
  }

  PageHeapFixture& fixture_;
  Extents* model_;
  spillway::testing::Random random_;
  uint32_t hint_;
  uint64_t stamp_;
  std::vector<Held> held_;
  int errors_ = 0;
  uint32_t taken_ = 0;
  uint32_t resized_ = 0;
};

BOOST_FIXTURE_TEST_SUITE(page_heap_stress, PageHeapFixture)

BOOST_AUTO_TEST_CASE(whatever_is_done_no_two_blocks_overlap) {
  Extents model(*this);
  Worker worker(*this, 1, &model);
  for (uint32_t step = 0; step < kSteps && worker.errors() == 0; ++step) {
    worker.step(120);
    if (step % 200 == 0) {
      heap.age_pages();
    }
    if (step % 50 == 0) {
      purge(step % 100 == 0 ? kGiB : 64 * kKiB, step % 150 == 0);
    }
  }
  BOOST_TEST(worker.errors() == 0);
  BOOST_TEST(worker.taken() > kSteps / 3);
  BOOST_TEST(worker.resized() > kSteps / 100);
  worker.give_all();
  BOOST_TEST(worker.errors() == 0);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().large_live_bytes == 0U);
  BOOST_TEST(purge_all(true) > 0U);
  BOOST_TEST(heap.free_bytes().dirty() == 0U);
}

BOOST_AUTO_TEST_CASE(blocks_are_their_owners_while_others_work_and_purge) {
  std::vector<Worker> workers;
  for (uint32_t number = 0; number < kThreads; ++number) {
    workers.emplace_back(*this, number + 10);
  }
  std::atomic<uint32_t> at_work{kThreads};
  std::vector<std::thread> threads;
  for (Worker& worker : workers) {
    threads.emplace_back([&] {
      for (uint32_t step = 0; step < kThreadSteps; ++step) {
        worker.step(24);
      }
      worker.give_all();
      --at_work;
    });
  }
  uint64_t purged = 0;
  for (uint32_t pass = 0; at_work != 0; ++pass) {
    purged += purge(256 * kKiB, pass % 7 == 0);
    if (pass % 16 == 0) {
      heap.age_pages();
    }
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Worker& worker : workers) {
    BOOST_TEST(worker.errors() == 0);
    BOOST_TEST(worker.taken() > kThreadSteps / 4);
  }
  BOOST_TEST(!refused);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().large_live_bytes == 0U);
  purged += purge_all(true);
  BOOST_TEST(purged > 0U);
  BOOST_TEST(heap.free_bytes().dirty() == 0U);
  // Runs join, from whichever thread their parts came: the longest there can be is one.
  const uint64_t size = heap.size_bytes();
  BOOST_TEST((get_large(std::min<uint64_t>(size - kGranuleSize, kMaxRun)) != nullptr));
  BOOST_TEST(heap.size_bytes() == size);
}

// A run that the index loses makes the heap grow for want of it, here to the arena's end. One that
// another thread is moving may cost a new chunk once: one for each thread and size of block.
BOOST_AUTO_TEST_CASE(threads_that_hold_little_do_not_use_up_the_arena) {
  constexpr uint32_t kHeld = 40;
  constexpr size_t kHeldBytes = kHeld / 8 * (128 + 3 * 4 + 4 * 12) * kKiB;
  constexpr uint32_t kBlockSizes = 3;
  std::atomic<int> without{0};
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      const uint32_t own_hint = heap.start_hint(kNoClass, number);
      for (uint32_t round = 0; round < kThreadSteps / 4; ++round) {
        std::vector<void*> held;
        for (uint32_t i = 0; i < kHeld; ++i) {
          const size_t size = i % 8 == 0 ? 128 * kKiB : i % 2 == 0 ? 4 * kKiB : 12 * kKiB;
          void* block = nullptr;
          if (heap.take(heap_class(size), own_hint, &block, 1) != 0) {
            held.push_back(block);
          } else {
            ++without;
          }
        }
        for (void* block : held) {
          static_cast<void>(heap.put(class_of(block), own_hint, &block, 1));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(without == 0);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(heap.size_bytes() <=
             align_up(kThreads * kHeldBytes, kChunkSize) + kThreads * kBlockSizes * kChunkSize);
}

// Which grains are taken, of blocks of the classes only.
struct GrainMap : PageHeapFixture {
  void mark(const void* block, bool taken_now) {
    const size_t usable = heap.usable(block);
    const size_t grains = usable / kGrainSize + (usable >= kHeapColouredFrom ? 1 : 0);
    const auto first = taken.begin() + static_cast<ptrdiff_t>(offset(block) / kGrainSize);
    std::fill(first, first + static_cast<ptrdiff_t>(grains), taken_now);
  }
  // In the first so many bytes, within one chunk.
  size_t longest_free(size_t bytes) const {
    size_t longest = 0;
    size_t length = 0;
    for (size_t grain = 0; grain < bytes / kGrainSize; ++grain) {
      length = taken[grain] ? 0 : grain % kGrainsPerChunk == 0 ? 1 : length + 1;
      longest = std::max(longest, length);
    }
    return longest;
  }
  std::vector<bool> taken = std::vector<bool>(heap.arena().bytes() / kGrainSize);
};

BOOST_FIXTURE_TEST_CASE(a_new_chunk_is_taken_only_when_no_other_has_room, GrainMap) {
  spillway::testing::Random random(3);
  std::vector<void*> blocks;
  uint32_t grown = 0;
  for (uint32_t step = 0; step < kSteps; ++step) {
    const uint32_t dice = random();
    const size_t least = size_t{4 * kKiB} << random() % 8;
    const ClassIndex index = heap_class(least + random() % least);
    if (dice % 16 == 0 && !blocks.empty()) {
      void* block = blocks[random() % blocks.size()];
      mark(block, false);
      static_cast<void>(heap.resize(block, index, 0));
      mark(block, true);
    } else if (dice % 16 <= 8 && blocks.size() < 600) {
      const uint64_t before = heap.size_bytes();
      void* block = dice % 16 == 1 ? get_aligned(least, kGranuleSize << random() % 10) : get(index);
      BOOST_REQUIRE(block != nullptr);
      if (heap.size_bytes() != before && dice % 16 != 1) {
        const size_t usable = heap.usable(block);
        BOOST_REQUIRE(longest_free(before) * kGrainSize <
                      usable + (usable >= kHeapColouredFrom ? kGrainSize : 0));
        ++grown;
      }
      mark(block, true);
      blocks.push_back(block);
    } else if (!blocks.empty()) {
      const size_t at = random() % blocks.size();
      mark(blocks[at], false);
      BOOST_REQUIRE(give(blocks[at]));
      blocks[at] = blocks.back();
      blocks.pop_back();
    }
    if (step % 500 == 0) {
      heap.age_pages();
      purge(kGiB);
    }
  }
  BOOST_TEST(grown > 10U);
}

// Each takes what another gives at the same moment; the arena is all but full.
struct TightHeap : PageHeapFixture {
  TightHeap() : PageHeapFixture(8 * kMiB) {}
};

BOOST_FIXTURE_TEST_CASE(the_last_runs_go_to_one_taker_each, TightHeap) {
  std::vector<Worker> workers;
  for (uint32_t number = 0; number < kThreads; ++number) {
    workers.emplace_back(*this, number + 20);
  }
  std::vector<std::thread> threads;
  for (Worker& worker : workers) {
    threads.emplace_back([&] {
      for (uint32_t step = 0; step < kThreadSteps; ++step) {
        worker.step(60);
      }
      worker.give_all();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Worker& worker : workers) {
    BOOST_TEST(worker.errors() == 0);
    BOOST_TEST(worker.taken() > 0U);
  }
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
