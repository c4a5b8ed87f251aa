// SPDX-License-Identifier: MIT
// What the profile says is what the program did, whatever it called, within six standard
// deviations.
#include "alloc/heap/profiling.h"

#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "alloc/heap/tenants.h"
#include "alloc/profile/exponential.h"
#include "test/forked_child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr uint64_t kRate = 256 * kKiB;

profile::StackCounts::Sum sum() {
  profile::StackCounts::Sum total{};
  heap_profile.stacks().for_each([&](const profile::Stack& stack) {
    const profile::StackCounts::Sum one = stack.counts.sum();
    total.allocated.bytes += one.allocated.bytes;
    total.live.bytes += one.live.bytes;
    total.live.blocks += one.live.blocks;
  });
  return total;
}

struct ProfilingFixture : HeapFixture {
  ProfilingFixture() {
    free(allocate(4 * kKiB));  // the thread gets its cache
    BOOST_REQUIRE(start_profile(kRate));
    before = sum();
  }
  ~ProfilingFixture() {
    stop_profile();
    BOOST_TEST(sum().live.bytes == before.live.bytes);
  }
  uint64_t allocated() const { return sum().allocated.bytes - before.allocated.bytes; }
  uint64_t live() const { return sum().live.bytes - before.live.bytes; }

  profile::StackCounts::Sum before{};
};

// `seen` bytes of `count` requests of `size`.
void require_near(uint64_t seen, size_t size, size_t count) {
  const double p = profile::one_minus_exp(static_cast<double>(size) / kRate);
  const double expected = static_cast<double>(size) * static_cast<double>(count);
  const double deviation =
      static_cast<double>(size) * std::sqrt(static_cast<double>(count) * (1 - p) / p);
  BOOST_TEST(
      std::abs(static_cast<double>(seen) - expected) <= 6 * deviation + 0.001 * expected,
      "size " << size << ": " << seen << ", expected " << expected << " +- " << 6 * deviation);
}

BOOST_FIXTURE_TEST_SUITE(heap_profiling, ProfilingFixture)

BOOST_AUTO_TEST_CASE(requests_of_each_size_are_seen_until_they_are_freed) {
  for (const size_t size : {4 * kKiB, size_t{20000}, 200 * kKiB, kMiB, 3 * kMiB, 40 * kMiB}) {
    const size_t count = size < kMiB ? 1000 : 20;
    const uint64_t first = allocated();
    std::vector<void*> blocks;
    for (size_t i = 0; i < count; ++i) {
      switch (i % 4) {
        case 0:
          blocks.push_back(allocate(size));
          break;
        case 1:
          blocks.push_back(allocate_zeroed(size));
          BOOST_TEST_REQUIRE(is_zero(blocks.back(), size));
          break;
        case 2:
          blocks.push_back(allocate_aligned(4096, size));
          break;
        default:
          blocks.push_back(reallocate(nullptr, size));
      }
      BOOST_TEST_REQUIRE(blocks.back() != nullptr);
    }
    require_near(allocated() - first, size, count);
    require_near(live(), size, count);
    for (void* block : blocks) {
      free(block);
    }
    BOOST_TEST(live() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_sampled_block_is_a_block_like_others) {
  BOOST_REQUIRE(start_profile(1));  // each
  for (const size_t size : kSizes) {
    void* block = allocate(size);
    // What mimalloc had in the thread's list before is used up first.
    for (int i = 0; i < 10'000 && !is_pooled(block); ++i) {
      block = allocate(size);
    }
    BOOST_TEST_REQUIRE(is_pooled(block));
    BOOST_TEST(is_watched(block));
    BOOST_TEST(heap_profile.size_of(note_of(block).sample) == size);
    BOOST_TEST(usable_size(block) >= size);
    fill(block, size, 3);
    block = reallocate(block, 2 * size);
    BOOST_TEST(is_filled(block, size, 3));
    block = reallocate(block, size / 4 + 1);
    BOOST_TEST(is_filled(block, size / 4 + 1, 3));
    free_sized(block, size / 4 + 1);
    BOOST_TEST(live() == 0U);
  }
  for (const size_t alignment : {32U, 64U, 512U, 2048U}) {
    void* const block = allocate_aligned(alignment, 100);
    BOOST_TEST(is_watched(block));
    BOOST_TEST(is_aligned(block, alignment));
    free(block);
  }
}

#if SPILLWAY_MIMALLOC_EXTENDED
BOOST_AUTO_TEST_CASE(small_requests_are_seen) {
  for (const size_t size : {16U, 100U, 1000U, 3000U}) {
    const uint64_t first = allocated();
    const size_t count = 30 * kMiB / size;
    std::vector<void*> blocks;
    for (size_t i = 0; i < count; ++i) {
      blocks.push_back(i % 2 == 0 ? allocate(size) : allocate_zeroed(size));
    }
    require_near(allocated() - first, size, count);
    require_near(live(), size, count);
    for (void* block : blocks) {
      free(block);
    }
    BOOST_TEST(live() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(small_aligned_requests_are_seen) {
  const size_t count = 30 * kMiB / 640;
  for (size_t i = 0; i < count; ++i) {
    free(allocate_aligned(128, 640));
  }
  require_near(allocated(), 640, count);
}

BOOST_AUTO_TEST_CASE(growing_small_blocks_are_seen_at_each_step) {
  const size_t count = 20'000;
  for (size_t i = 0; i < count; ++i) {
    void* block = allocate(100);
    block = reallocate(block, 400);
    block = reallocate(block, 1600);
    free(block);
  }
  require_near(allocated(), 1600 + 400 + 100, count);
}
#endif

// Growth where a block is counts what came to it, once.
BOOST_AUTO_TEST_CASE(blocks_that_grow_in_place_stand_for_their_size) {
  std::vector<void*> blocks;
  for (size_t i = 0; i < 20; ++i) {
    void* block = allocate(kMiB + 1);
    for (size_t size = 2 * kMiB; size <= 16 * kMiB; size += kMiB) {
      block = reallocate(block, size);
    }
    blocks.push_back(block);
  }
  require_near(live(), 16 * kMiB, 20);
  for (void*& block : blocks) {
    block = reallocate(block, 9 * kMiB);
  }
  require_near(live(), 9 * kMiB, 20);
  for (void* block : blocks) {
    free(block);
  }
  BOOST_TEST(live() == 0U);
}

uint64_t charged() {
  stats::TenantSnapshot usage;
  BOOST_REQUIRE(read_tenant(Watching::tenant(), usage));
  return usage.live_bytes;
}

BOOST_AUTO_TEST_CASE(a_sample_may_be_a_tenants) {
  BOOST_REQUIRE(start_profile(1));
  const Watching watching;
  void* const block = allocate(20000);
  BOOST_TEST(note_of(block).tenant == Watching::tenant());
  BOOST_TEST(note_of(block).sample != 0U);
  BOOST_TEST(live() == 20000U);
  BOOST_TEST(charged() == usable_size(block));
  free(block);
  BOOST_TEST(charged() == 0U);
}

#if SPILLWAY_MIMALLOC_EXTENDED
BOOST_AUTO_TEST_CASE(small_requests_of_a_tenant_are_seen_and_charged) {
  const Watching watching;
  for (const size_t size : {16U, 1000U, 3000U}) {
    const uint64_t first = allocated();
    const size_t count = 30 * kMiB / size;
    std::vector<void*> blocks;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
      blocks.push_back(i % 2 == 0 ? allocate(size) : allocate_zeroed(size));
      sum += usable_size(blocks.back());
    }
    BOOST_TEST(charged() == sum);
    require_near(allocated() - first, size, count);
    for (void* block : blocks) {
      free(block);
    }
    BOOST_TEST(live() == 0U);
    BOOST_TEST(charged() == 0U);
  }
}
#endif

BOOST_AUTO_TEST_CASE(stopped_it_samples_nothing_and_sees_frees) {
  BOOST_REQUIRE(start_profile(1));
  void* const block = allocate(20000);
  stop_profile();
  BOOST_TEST(live() == 20000U);
  const uint64_t taken = heap_profile.taken();
  for (const size_t size : kSizes) {
    free(allocate(size));
  }
  BOOST_TEST(heap_profile.taken() == taken);
  free(block);
  BOOST_TEST(live() == 0U);
  // Calls are fast again.
  BOOST_TEST(thread_state.bins.get() != &core::kCacheMetered);
}

BOOST_AUTO_TEST_CASE(other_threads_are_sampled_and_may_free) {
  constexpr size_t kThreads = 4;
  constexpr size_t kCount = 2000;
  std::vector<std::vector<void*>> blocks(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (size_t k = 0; k < kCount; ++k) {
        blocks[i].push_back(allocate(20000));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  require_near(live(), 20000, kThreads * kCount);
  for (const std::vector<void*>& some : blocks) {
    for (void* block : some) {
      free(block);
    }
  }
  BOOST_TEST(live() == 0U);
}

BOOST_AUTO_TEST_CASE(a_child_goes_on) {
  void* const block = allocate(3 * kMiB);
  BOOST_TEST(spillway::testing::holds_in_child([&] {
    free(block);
    if (live() != 0 || !heap_profile.is_on()) {
      return false;
    }
    const uint64_t first = allocated();
    for (int i = 0; i < 100; ++i) {
      free(allocate(3 * kMiB));
    }
    return allocated() - first > 100 * kMiB && live() == 0;
  }));
  BOOST_TEST(live() >= 3 * kMiB);
  free(block);
}

BOOST_AUTO_TEST_CASE(it_is_written_and_counted) {
  BOOST_REQUIRE(start_profile(1));
  void* const block = allocate(20000);
  std::string text;
  BOOST_TEST(write_profile({.write =
                                [](void* owner, std::string_view bytes) {
                                  static_cast<std::string*>(owner)->append(bytes);
                                  return true;
                                },
                            .owner = &text}));
  BOOST_TEST(text.find("inuse_space") != std::string::npos);
  BOOST_TEST(snapshot().profile_samples == heap_profile.live());
  BOOST_TEST(snapshot().profile_samples_total == heap_profile.taken());
  BOOST_TEST(snapshot().profile_dropped_total == 0U);
  free(block);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
