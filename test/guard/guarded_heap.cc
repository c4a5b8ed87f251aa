// SPDX-License-Identifier: MIT
#include "alloc/guard/guarded_heap.h"

#include <cstring>
#include <initializer_list>
#include <set>
#include <thread>

#include "test/bytes.h"
#include "test/guard/fixture.h"

namespace spillway::guard {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSizes[] = {0,    1,    16,   40,    1000,   4000,      4096,
                             4097, 5000, 8192, 65536, 100000, 5'000'000, 64 * kMiB};
const size_t page = os::page_size();

struct OldKernelFixture : GuardedFixture {
  OldKernelFixture() : GuardedFixture(kAllParts, true) {}
};

void check_everything_around(GuardedFixture& fixture) {
  for (int round = 0; round < 3; ++round) {
    for (const size_t size : kSizes) {
      char* const block = fixture.take(size);
      BOOST_TEST_CONTEXT(size << " bytes, round " << round) {
        BOOST_TEST(reinterpret_cast<uintptr_t>(block) % 16 == 0U);
        const GuardedHeap::Found found = fixture.heap.look(block);
        BOOST_TEST((found.where == Where::kLive));
        BOOST_TEST(found.size == size);
        std::memset(block, 0x77, size);
        if (size == 0 || size >= 4 * kKiB) {
          const size_t rounded = align_up(size, 16);
          BOOST_TEST(!is_accessible(block + (size == 0 ? 0 : rounded)));
          BOOST_TEST(!is_accessible(block - page));
        }
        fixture.free(block);
        BOOST_TEST(is_accessible(block) == (size != 0 && size < 4 * kKiB));
        if (is_accessible(block)) {
          BOOST_TEST(spillway::testing::holds(block, 0, size, '\0'));
        }
        BOOST_TEST((fixture.heap.look(block).where == Where::kFreed));
      }
    }
  }
  BOOST_TEST(told.empty());
  BOOST_TEST(fixture.heap.live_blocks() == 0U);
  BOOST_TEST(fixture.heap.live_bytes() == 0U);
  BOOST_TEST(fixture.heap.allocations() == 3 * std::size(kSizes));
}

BOOST_AUTO_TEST_SUITE(guard_guarded_heap)

BOOST_FIXTURE_TEST_CASE(a_block_is_usable_and_nothing_around_it, GuardedFixture) {
  check_everything_around(*this);
}

BOOST_FIXTURE_TEST_CASE(the_same_where_the_kernel_has_no_guard_pages, OldKernelFixture) {
  check_everything_around(*this);
}

BOOST_FIXTURE_TEST_CASE(alignments, GuardedFixture) {
  for (const size_t size : {size_t{1}, size_t{100}, size_t{4096}, size_t{70000}}) {
    for (size_t alignment = 1; alignment <= 32 * kMiB; alignment *= 2) {
      char* const block = take(size, alignment);
      BOOST_TEST(reinterpret_cast<uintptr_t>(block) % alignment == 0U);
      std::memset(block, 1, size);
      free(block);
    }
  }
  BOOST_TEST(heap.allocate({.size = 1, .alignment = 64 * kMiB}) == nullptr);
  BOOST_TEST(heap.allocate({.size = 64 * kMiB + 1}) == nullptr);
  BOOST_TEST(told.empty());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_block_tells_its_tenant, GuardedFixture) {
  for (const uint8_t tenant : std::initializer_list<uint8_t>{255, 0, 7}) {
    for (const size_t size : {size_t{100}, size_t{70000}}) {
      void* const block = heap.allocate({.size = size, .tenant = tenant});
      const GuardedHeap::Found found = heap.free(block);
      BOOST_TEST((found.where == Where::kLive));
      BOOST_TEST(found.tenant == tenant);
      BOOST_TEST(found.size == size);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_second_free_is_refused, GuardedFixture) {
  for (const size_t size : kSizes) {
    char* const block = take(size);
    free(block);
    const GuardedHeap::Found found = heap.free(block);
    BOOST_TEST((found.where == Where::kFreed));
    BOOST_TEST(found.size == size);
  }
}

BOOST_FIXTURE_TEST_CASE(other_pointers_are_refused, GuardedFixture) {
  for (const size_t size : kSizes) {
    char* const block = take(size);
    for (const ptrdiff_t offset : {ptrdiff_t{1}, ptrdiff_t{8}, static_cast<ptrdiff_t>(size / 2)}) {
      if (offset == 0 || static_cast<size_t>(offset) >= size) {
        continue;
      }
      const GuardedHeap::Found found = heap.free(block + offset);
      BOOST_TEST((found.where == Where::kInside));
      BOOST_TEST(found.start == reinterpret_cast<uintptr_t>(block));
    }
    free(block);
  }
  char* const block = take(100);
  BOOST_TEST((heap.free(block + 300 * kMiB).where == Where::kNowhere));
}

BOOST_FIXTURE_TEST_CASE(one_of_two_threads_that_free_a_block_is_refused, GuardedFixture) {
  for (int round = 0; round < 300; ++round) {
    char* const block = take(64);
    std::atomic<int> waiting{2};
    std::atomic<int> freed{0};
    const auto work = [&] {
      waiting.fetch_sub(1);
      while (waiting.load() != 0) {
      }
      freed.fetch_add(heap.free(block).where == Where::kLive ? 1 : 0);
    };
    std::thread other(work);
    work();
    other.join();
    BOOST_TEST_REQUIRE(freed.load() == 1);
  }
}

BOOST_FIXTURE_TEST_CASE(each_byte_behind_a_block_is_watched, GuardedFixture) {
  for (const size_t size :
       {size_t{1}, size_t{24}, size_t{40}, size_t{1000}, size_t{5000}, size_t{70001}}) {
    for (size_t past = size; past < align_up(size, 16); ++past) {
      char* const block = take(size);
      told.clear();
      block[past] ^= 0x20;
      free(block);
      BOOST_TEST_REQUIRE(told.size() == 1U);
      BOOST_TEST((told[0].damage == Damage::kOverflow));
      BOOST_TEST(told[0].block == block);
      BOOST_TEST(told[0].size == size);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(bytes_before_a_block_are_watched, GuardedFixture) {
  char* const block = take(5000);
  for (const ptrdiff_t before : {1, 16, 100}) {
    told.clear();
    char* const another = take(5000);
    another[-before] ^= 1;
    free(another);
    BOOST_TEST_REQUIRE(told.size() == 1U);
    BOOST_TEST((told[0].damage == Damage::kUnderflow));
  }
  free(block);
}

BOOST_FIXTURE_TEST_CASE(a_write_to_a_freed_small_block_is_seen_when_it_is_reused, GuardedFixture) {
  char* const block = take(200);
  free(block);
  block[150] = 1;
  reuse_all(200);
  BOOST_TEST_REQUIRE(told.size() == 1U);
  BOOST_TEST((told[0].damage == Damage::kWhileFree));
  BOOST_TEST(told[0].block == block);
}

BOOST_FIXTURE_TEST_CASE(an_address_that_faults_is_named_by_its_nearest_block, GuardedFixture) {
  char* const block = take(5000);
  const auto start = reinterpret_cast<uintptr_t>(block);
  for (const char* const at : {block + 5008, block + 6000, block - 4096}) {
    const GuardedHeap::Found found = heap.nearest(at);
    BOOST_TEST((found.where == Where::kLive));
    BOOST_TEST(found.start == start);
    BOOST_TEST(found.size == 5000U);
  }
  free(block);
  for (const char* const at : {block, block + 4999}) {
    const GuardedHeap::Found found = heap.nearest(at);
    BOOST_TEST((found.where == Where::kFreed));
    BOOST_TEST(found.start == start);
  }
  BOOST_TEST((heap.nearest(block + 300 * kMiB).where == Where::kNowhere));
}

BOOST_AUTO_TEST_CASE(without_guard_pages_a_write_to_any_freed_block_is_seen) {
  Parts parts = kAllParts;
  parts.guard_pages = false;
  for (const size_t size : {size_t{200}, size_t{5000}, size_t{300000}}) {
    GuardedFixture fixture(parts);
    char* const block = fixture.take(size);
    std::memset(block, 3, size);
    fixture.free(block);
    BOOST_TEST(spillway::testing::holds(block, 0, size, '\0'));
    block[size - 1] = 1;
    fixture.reuse_all(size);
    BOOST_TEST_REQUIRE(told.size() == 1U);
    BOOST_TEST((told[0].damage == Damage::kWhileFree));
  }
}

BOOST_AUTO_TEST_CASE(zeroed_is_zero_whatever_the_parts) {
  for (const Parts parts : {Parts{.canaries = true}, Parts{.guard_pages = true},
                            Parts{.quarantine = 2}, Parts{.zero_on_free = true}, kAllParts}) {
    GuardedFixture fixture(parts);
    for (int round = 0; round < 6; ++round) {
      for (const size_t size : {size_t{40}, size_t{5000}, size_t{200000}}) {
        void* const block = fixture.heap.allocate({.size = size, .zeroed = true});
        BOOST_REQUIRE(block != nullptr);
        BOOST_TEST_REQUIRE(spillway::testing::holds(block, 0, size, '\0'));
        std::memset(block, 0xff, size);
        fixture.free(block);
      }
    }
    BOOST_TEST(told.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_late_write_behind_a_shorter_block_is_not_taken_for_zero) {
  GuardedFixture fixture({.zero_on_free = true});
  char* const longer = fixture.take(40000);
  fixture.free(longer);
  char* const shorter = fixture.take(33000);
  fixture.free(shorter);
  longer[0] = 1;
  void* const zeroed = fixture.heap.allocate({.size = 40000, .zeroed = true});
  BOOST_TEST(zeroed == longer);
  BOOST_TEST(spillway::testing::holds(zeroed, 0, 40000, '\0'));
}

BOOST_AUTO_TEST_CASE(canaries_without_guard_pages_are_behind_whole_pages_too) {
  GuardedFixture fixture({.canaries = true});
  char* const block = fixture.take(4096, 4096);
  block[4096] ^= 1;
  fixture.free(block);
  BOOST_TEST_REQUIRE(told.size() == 1U);
  BOOST_TEST((told[0].damage == Damage::kOverflow));
}

BOOST_FIXTURE_TEST_CASE(a_block_that_could_not_be_closed_is_zero_and_closed_again, GuardedFixture) {
  char* const block = take(5000);
  std::memset(block, 1, 5000);
  faulty::fail(faulty::Call::kDeny, 0, UINT64_MAX);
  free(block);
  faulty::reset();
  BOOST_TEST(is_accessible(block));
  block[100] = 1;
  // Until its turn came, which is anybody's guess.
  void* zeroed = nullptr;
  while (zeroed != block) {
    zeroed = heap.allocate({.size = 5000, .zeroed = true});
    BOOST_TEST_REQUIRE(spillway::testing::holds(zeroed, 0, 5000, '\0'));
    free(zeroed);
  }
  BOOST_TEST(!is_accessible(block));
}

BOOST_AUTO_TEST_CASE(a_freed_block_waits) {
  Parts parts = kAllParts;
  parts.random_placement = false;
  GuardedFixture fixture(parts);
  std::vector<void*> blocks;
  for (uint32_t i = 0; i <= parts.quarantine; ++i) {
    blocks.push_back(fixture.take(5000));
  }
  for (uint32_t i = 0; i < parts.quarantine; ++i) {
    fixture.free(blocks[i]);
    BOOST_TEST((static_cast<void*>(fixture.take(5000)) != blocks[0]));
  }
  fixture.free(blocks.back());
  BOOST_TEST((static_cast<void*>(fixture.take(5000)) == blocks[0]));
}

BOOST_FIXTURE_TEST_CASE(a_freed_block_holds_no_memory, GuardedFixture) {
  constexpr size_t kSize = 8 * kMiB;
  const uint64_t before = heap.held_bytes();
  char* const block = take(kSize);
  std::memset(block, 1, kSize);
  BOOST_TEST(heap.held_bytes() - before == kSize);
  BOOST_TEST(os::resident_bytes_in(block, kSize) == kSize);
  free(block);
  BOOST_TEST(heap.held_bytes() == before);
  BOOST_TEST(os::resident_bytes_in(block, kSize) == 0U);
}

BOOST_FIXTURE_TEST_CASE(small_requests_may_have_pages_of_their_own, GuardedFixture) {
  void* const block = heap.allocate({.size = 100, .place = GuardedHeap::Place::kOwnPages});
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!is_accessible(static_cast<char*>(block) + 112));
  free(block);
  BOOST_TEST(!is_accessible(block));
}

BOOST_FIXTURE_TEST_CASE(a_refusal_is_null_and_loses_nothing, GuardedFixture) {
  free(take(5000));
  reuse_all(5000);
  for (const faulty::Call call :
       {faulty::Call::kDeny, faulty::Call::kAllow, faulty::Call::kCommit}) {
    faulty::reset();
    faulty::fail(call, 0, UINT64_MAX);
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) {
      void* const block = heap.allocate({.size = 5000});
      if (block != nullptr) {
        std::memset(block, 1, 5000);
        blocks.push_back(block);
      }
    }
    for (void* const block : blocks) {
      free(block);
    }
    faulty::reset();
    for (int i = 0; i < 100; ++i) {
      char* const block = take(5000);
      BOOST_TEST_REQUIRE(spillway::testing::holds(block, 0, 5000, '\0'));
      std::memset(block, 1, 5000);
      blocks.push_back(block);
      free(block);
    }
  }
  BOOST_TEST(told.empty());
  BOOST_TEST(heap.live_blocks() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::guard
