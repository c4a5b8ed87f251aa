// SPDX-License-Identifier: MIT
// Statistics that are taken while threads work: counters never fall, gauges are no differences that
// went below zero, and at rest all of them are exact.
#include <atomic>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "alloc/heap/report.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kTestSizes[] = {4096, 5000, 12000, 65536, 200000, kMiB, 3 * kMiB, 100, 700};

// What the program did, by class; the last one: large blocks.
constexpr uint32_t kLarge = kMaxClasses;
struct Counts {
  uint64_t allocations[kLarge + 1] = {};
  uint64_t frees[kLarge + 1] = {};
};
uint32_t class_number(size_t size) {
  return size < kGranuleSize ? 0 : size > config::kMaxPooledSize ? kLarge : raw(class_of(size));
}

// Takes and frees at random.
void hammer(unsigned seed, int rounds, Counts& counts) {
  std::minstd_rand random(seed);
  struct Held {
    void* block = nullptr;
    uint32_t number = 0;
  };
  Held held[50];
  const auto free_one = [&counts](Held& one) {
    if (one.block != nullptr) {
      free(one.block);
      ++counts.frees[one.number];
      one.block = nullptr;
    }
  };
  for (int round = 0; round < rounds; ++round) {
    Held& one = held[random() % std::size(held)];
    free_one(one);
    const size_t size = kTestSizes[random() % std::size(kTestSizes)];
    one = {.block = allocate(size), .number = class_number(size)};
    ++counts.allocations[one.number];
  }
  for (Held& one : held) {
    free_one(one);
  }
  heap.engine.detach(thread_state);
}

void add(Counts& sum, const Counts& counts) {
  for (uint32_t i = 0; i <= kLarge; ++i) {
    sum.allocations[i] += counts.allocations[i];
    sum.frees[i] += counts.frees[i];
  }
}

// No counter of `now` is below that of `before`; no gauge is absurd.
void check_step(const stats::Snapshot& before, const stats::Snapshot& now) {
  constexpr uint64_t kAbsurd = uint64_t{1} << 50;
  const auto check = [](const stats::Spec& spec, uint64_t was, uint64_t is) {
    if (spec.kind == stats::Kind::kCounter) {
      BOOST_REQUIRE_MESSAGE(is >= was, spec.name << " fell from " << was << " to " << is);
    } else if (is != stats::kUnknown) {
      BOOST_REQUIRE_MESSAGE(is < kAbsurd, spec.name << " is " << is);
    }
  };
  for (size_t i = 0; i < std::size(stats::kSpecs); ++i) {
    check(stats::kSpecs[i], before.values()[i], now.values()[i]);
  }
  for (uint32_t index = 1; index <= now.class_count; ++index) {
    for (size_t i = 0; i < std::size(stats::kClassSpecs); ++i) {
      check(stats::kClassSpecs[i], before.classes[index].values()[i],
            now.classes[index].values()[i]);
    }
    BOOST_REQUIRE(now.classes[index].requested_estimate_bytes == stats::kUnknown ||
                  now.classes[index].requested_estimate_bytes <= now.classes[index].live_bytes);
  }
}

void check_exact(const stats::Snapshot& before, const stats::Snapshot& after, const Counts& done) {
  uint64_t allocations = 0;
  for (uint32_t i = 1; i <= after.class_count; ++i) {
    const stats::ClassSnapshot& was = before.classes[i];
    const stats::ClassSnapshot& is = after.classes[i];
    BOOST_TEST(is.allocations_total - was.allocations_total == done.allocations[i]);
    BOOST_TEST(is.frees_total - was.frees_total == done.frees[i]);
    BOOST_TEST(is.live == was.live + done.allocations[i] - done.frees[i]);
    // Each thread has a cache; a refill may find no memory.
    BOOST_TEST(is.cache_hits_total - was.cache_hits_total + is.refills_total - was.refills_total >=
               done.allocations[i]);
    allocations += done.allocations[i];
  }
  BOOST_TEST(after.allocations_total - before.allocations_total == allocations);
  BOOST_TEST(after.frees_total - before.frees_total == allocations);
  const uint64_t large = done.allocations[kLarge];
  BOOST_TEST(after.large_allocations_total - before.large_allocations_total == large);
  BOOST_TEST(after.large_frees_total - before.large_frees_total == large);
  BOOST_TEST(after.large_blocks == before.large_blocks);
}

BOOST_FIXTURE_TEST_SUITE(heap_report_threads, HeapFixture)

BOOST_AUTO_TEST_CASE(counters_never_fall_and_are_exact_at_rest) {
  constexpr unsigned kThreads = 4;
  constexpr int kRounds = 20000;
  const stats::Snapshot before = snapshot();
  Counts counts[kThreads];
  std::atomic<unsigned> running{kThreads};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      hammer(i + 1, kRounds, counts[i]);
      --running;
    });
  }
  stats::Snapshot last = before;
  int steps = 0;
  for (; running != 0 || steps < 10; ++steps) {
    const stats::Snapshot now = snapshot();
    check_step(last, now);
    last = now;
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  Counts done;
  for (const Counts& one : counts) {
    add(done, one);
  }
  const stats::Snapshot after = snapshot();
  check_step(last, after);
  check_exact(before, after, done);
}

BOOST_AUTO_TEST_CASE(a_block_that_another_thread_frees_is_freed_once) {
  constexpr size_t kSize = 40000;
  const stats::ClassSnapshot before = class_snapshot(kSize);
  std::vector<void*> blocks(100);
  for (void*& block : blocks) {
    block = allocate(kSize);
  }
  BOOST_TEST(class_snapshot(kSize).frees_total == before.frees_total);
  std::thread([&blocks] {
    for (void* block : blocks) {
      free(block);
    }
  }).join();
  const stats::ClassSnapshot after = class_snapshot(kSize);
  BOOST_TEST(after.allocations_total == before.allocations_total + 100);
  BOOST_TEST(after.frees_total == before.frees_total + 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
