// SPDX-License-Identifier: MIT
// What mimalloc has handed out: it follows every size and every thread, whatever they do meanwhile.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/fork_gate.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;

namespace {

constexpr size_t kMiB = size_t{1} << 20;

size_t live_bytes() { return mimalloc::live().bytes; }

std::vector<void*> take(size_t count, size_t size) {
  std::vector<void*> blocks(count);
  std::generate(blocks.begin(), blocks.end(), [=] { return mimalloc::allocate(size); });
  return blocks;
}

void give(const std::vector<void*>& blocks) {
  std::for_each(blocks.begin(), blocks.end(), mimalloc::free);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mimalloc_live)

BOOST_AUTO_TEST_CASE(it_follows_blocks_of_every_size) {
  for (const size_t size :
       {size_t{1}, size_t{100}, size_t{5000}, size_t{100'000}, kMiB, 20 * kMiB, 100 * kMiB}) {
    const size_t count = std::max<size_t>(3, std::min<size_t>(1000, 200 * kMiB / size));
    const size_t before = live_bytes();
    const std::vector<void*> blocks = take(count, size);
    size_t usable = 0;
    for (void* block : blocks) {
      usable += mimalloc::usable_size(block);
    }
    BOOST_TEST(live_bytes() == before + usable);
    give(blocks);
    BOOST_TEST(live_bytes() == before);
  }
}

BOOST_AUTO_TEST_CASE(it_follows_huge_blocks) {
  constexpr size_t kHuge = size_t{5} << 29;  // placed by the kernel; more than 32 bits count
  const size_t before = live_bytes();
  void* block = mimalloc::allocate(kHuge);
  if (block == nullptr) {
    return;  // a small machine
  }
  BOOST_TEST(live_bytes() >= before + kHuge);
  BOOST_TEST(live_bytes() <= before + kHuge + 64 * kMiB);
  mimalloc::free(block);
  BOOST_TEST(live_bytes() == before);
}

BOOST_AUTO_TEST_CASE(it_follows_other_threads) {
  constexpr size_t kSize = 1000;
  constexpr size_t kCount = 5000;
  const size_t before = live_bytes();
  std::atomic<int> step{0};
  std::thread other([&] {
    const std::vector<void*> blocks = take(kCount, kSize);
    step = 1;
    while (step == 1) {
      std::this_thread::yield();
    }
    give(blocks);
    step = 3;
    while (step == 3) {
      std::this_thread::yield();
    }
  });
  while (step != 1) {
    std::this_thread::yield();
  }
  BOOST_TEST(live_bytes() >= before + kCount * kSize);
  step = 2;
  while (step != 3) {
    std::this_thread::yield();
  }
  BOOST_TEST(live_bytes() < before + kCount * kSize / 2);
  step = 4;
  other.join();
}

BOOST_AUTO_TEST_CASE(threads_may_allocate_and_end_meanwhile) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        std::thread([] {
          for (const size_t size : {size_t{64}, size_t{3000}, kMiB, 40 * kMiB}) {
            give(take(20, size));
          }
        }).join();
      }
    });
  }
  for (int i = 0; i < 300; ++i) {
    BOOST_REQUIRE(live_bytes() < size_t{10} << 30);
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

BOOST_AUTO_TEST_CASE(a_fork_and_a_thread_inside_are_not_in_its_way) {
  const std::vector<void*> small = take(10, 100);
  const size_t live = live_bytes();
  mimalloc::fork_prepare();
  BOOST_TEST(live_bytes() == live);
  mimalloc::fork_parent();
  mimalloc::enter_gate();
  BOOST_TEST(live_bytes() == live);
  mimalloc::leave_gate();
  std::atomic<int> step{0};
  std::thread inside([&] {
    mimalloc::enter_gate();
    step = 1;
    while (step == 1) {
      std::this_thread::yield();
    }
    mimalloc::leave_gate();
  });
  while (step != 1) {
    std::this_thread::yield();
  }
  BOOST_TEST(live_bytes() == live);
  step = 2;
  inside.join();
  give(small);
}

BOOST_AUTO_TEST_CASE(blocks_and_segments_are_counted) {
  const mimalloc::Live before = mimalloc::live();
  const std::vector<void*> small = take(1000, 100);
  const std::vector<void*> huge = take(3, 100 * kMiB);
  const mimalloc::Live during = mimalloc::live();
  BOOST_TEST(during.blocks == before.blocks + 1003);
  BOOST_TEST(during.segments >= before.segments + 3);
  give(small);
  give(huge);
  BOOST_TEST(mimalloc::live().blocks == before.blocks);
}

// Each huge block is a segment of its own, which is unmapped when it is freed.
BOOST_AUTO_TEST_CASE(what_is_unmapped_during_walks_is_unmapped_in_the_end) {
  give(take(3, 100 * kMiB));
  const size_t before = mimalloc::mapped_bytes();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> walks{0};
  std::vector<std::thread> walkers;
  for (int i = 0; i < 2; ++i) {
    walkers.emplace_back([&] {
      while (!stop) {
        live_bytes();
        ++walks;
      }
    });
  }
  for (int i = 0; i < 200 || walks < 1000; ++i) {
    give(take(3, 100 * kMiB));
  }
  stop = true;
  for (std::thread& walker : walkers) {
    walker.join();
  }
  live_bytes();  // the last walk
  BOOST_TEST(mimalloc::mapped_bytes() <= before);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
