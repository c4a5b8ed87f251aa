// SPDX-License-Identifier: MIT
// Blocks of mimalloc are charged to the tenant whose thread allocated them, and credited when they
// are freed: the same bytes, whichever thread frees them and whatever became of the first.
#include "alloc/mimalloc/tenants.h"

#include <sys/resource.h>

#include <cstring>
#include <initializer_list>
#include <iterator>
#include <thread>
#include <vector>

#include "test/bytes.h"
#include "test/forked_child.h"
#include "test/mimalloc/tenants_fixture.h"
#include "test/random.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;
using namespace mimalloc::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr size_t kSizes[] = {0, 1, 8, 16, 17, 48, 100, 256, 1000, 1024, 1025, 3000, 4095};
constexpr size_t kHugeSize = size_t{100} << 20;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mimalloc_tenants, TenantsFixture)

BOOST_AUTO_TEST_CASE(every_call_is_charged_at_usable_size) {
  for (const size_t size : kSizes) {
    BOOST_TEST(mimalloc::enter_tenant(1));
    void* const made[] = {mimalloc::allocate(size),
                          mimalloc::allocate_zeroed(size),
                          mimalloc::reallocate(nullptr, size),
                          mimalloc::allocate_aligned(32, size),
                          mimalloc::allocate_aligned(64, size),
                          mimalloc::allocate_aligned(1024, size)};
    BOOST_TEST(mimalloc::enter_tenant(0));
    int64_t sum = 0;
    for (void* block : made) {
      BOOST_TEST_REQUIRE(block != nullptr);
      sum += usable(block);
    }
    BOOST_TEST(bytes[1] == sum);
    BOOST_TEST(blocks[1] == static_cast<int64_t>(std::size(made)));
    for (void* block : made) {
      memset(block, 0xa5, mimalloc::usable_size(block));
      mimalloc::free(block);
    }
    BOOST_TEST(bytes[1] == 0);
  }
}

BOOST_AUTO_TEST_CASE(zeroed_blocks_are_zero_again) {
  BOOST_TEST(mimalloc::enter_tenant(1));
  for (const size_t size : kSizes) {
    for (int round = 0; round < 300; ++round) {
      void* const block = mimalloc::allocate_zeroed(size);
      BOOST_TEST_REQUIRE(spillway::testing::holds(block, 0, size, 0));
      memset(block, 0xa5, mimalloc::usable_size(block));
      mimalloc::free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(blocks_are_of_the_tenant_that_the_thread_is_in) {
  std::vector<void*> made;
  for (const uint8_t tenant : std::initializer_list<uint8_t>{0, 1, 255, 1, 0}) {
    BOOST_TEST(mimalloc::enter_tenant(tenant));
    made.push_back(mimalloc::allocate(64));
  }
  BOOST_TEST(bytes[1] == 2 * 64);
  BOOST_TEST(bytes[255] == 64);
  BOOST_TEST(mimalloc::enter_tenant(1));
  mimalloc::free(made[0]);
  mimalloc::free(made[4]);
  mimalloc::free(made[2]);
  BOOST_TEST(bytes[1] == 2 * 64);
  BOOST_TEST(blocks[255] == 0);
  mimalloc::free(made[1]);
  mimalloc::free(made[3]);
}

BOOST_AUTO_TEST_CASE(a_block_that_stays_where_it_is_keeps_its_charge) {
  BOOST_TEST(mimalloc::enter_tenant(1));
  void* block = mimalloc::allocate(1000);
  const int64_t charged = bytes[1];
  BOOST_TEST(mimalloc::enter_tenant(2));
  BOOST_TEST(mimalloc::reallocate(block, 900) == block);
  BOOST_TEST(bytes[1] == charged);
  block = mimalloc::reallocate(block, 2000);  // moves
  BOOST_TEST(bytes[1] == 0);
  BOOST_TEST(bytes[2] == usable(block));
  mimalloc::free(block);
}

BOOST_AUTO_TEST_CASE(huge_blocks_are_charged) {
  const auto allocate_huge = [](bool aligned) {
    mimalloc::enter_tenant(3);
    void* const block = aligned ? mimalloc::allocate_aligned(size_t{64} << 20, kHugeSize)
                                : mimalloc::allocate(kHugeSize);
    BOOST_TEST(block != nullptr);
    BOOST_TEST(bytes[3] == usable(block));
    BOOST_TEST(usable(block) >= static_cast<int64_t>(kHugeSize));
    return block;
  };
  for (const bool aligned : {false, true}) {
    mimalloc::free(allocate_huge(aligned));
    BOOST_TEST(bytes[3] == 0);
    void* handed = allocate_huge(aligned);
    std::thread([&] { mimalloc::free(handed); }).join();
    BOOST_TEST(bytes[3] == 0);
    std::thread([&] { handed = allocate_huge(aligned); }).join();
    BOOST_TEST(bytes[3] == usable(handed));
    mimalloc::free(handed);
    BOOST_TEST(bytes[3] == 0);
  }
  // An address inside is no block's start, as of others.
  mimalloc::enter_tenant(3);
  void* const block = mimalloc::allocate(kHugeSize);
  BOOST_TEST(mimalloc::block_around(static_cast<char*>(block) + 4096) == block);
  mimalloc::free(block);
}

BOOST_AUTO_TEST_CASE(a_second_free_is_not_credited) {
  static int told;
  told = 0;
  mimalloc::on_double_free([](const void*) { ++told; });
  for (const bool by_other : {false, true}) {
    BOOST_TEST(mimalloc::enter_tenant(1));
    // Their pages stay in use.
    void* const kept = mimalloc::allocate(64);
    void* const kept_aligned = mimalloc::allocate_aligned(1024, 64);
    const int64_t kept_bytes = bytes[1];
    void* const twice = mimalloc::allocate(64);
    void* const aligned = mimalloc::allocate_aligned(1024, 64);
    BOOST_TEST(mimalloc::enter_tenant(0));
    const auto free_again = [&] {
      mimalloc::free(twice);
      mimalloc::free(twice);
      mimalloc::free(aligned);
      mimalloc::free(aligned);
    };
    if (by_other) {
      std::thread(free_again).join();
    } else {
      free_again();
    }
    BOOST_TEST(told == (by_other ? 4 : 2));
    BOOST_TEST(bytes[1] == kept_bytes);
    BOOST_TEST(blocks[1] == 2);
    mimalloc::free(kept);
    mimalloc::free(kept_aligned);
  }
  mimalloc::on_double_free(nullptr);
}

// Threads hand blocks on, in tenants that change, and end; each is replaced by another.
BOOST_AUTO_TEST_CASE(figures_are_exact_whichever_thread_frees_or_ends) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kGenerations = 5;
  constexpr unsigned kSteps = 6000;
  constexpr uint8_t kMaxTenant = 5;
  struct Cell {
    std::atomic<void*> block{nullptr};
  };
  static Cell cells[300];
  struct Owned {
    uint8_t tenant;
  };
  const auto work = [](uint32_t seed) {
    spillway::testing::Random random(seed);
    for (unsigned step = 0; step < kSteps; ++step) {
      const auto tenant = static_cast<uint8_t>(random() % (kMaxTenant + 1));
      mimalloc::enter_tenant(tenant);
      const size_t size = 1 + random() % (random() % 4 == 0 ? 4000 : 200);
      void* block = random() % 8 == 0   ? mimalloc::allocate_aligned(128, size)
                    : random() % 8 == 0 ? mimalloc::allocate_zeroed(size)
                                        : mimalloc::allocate(size);
      if (random() % 8 == 0) {
        block = mimalloc::reallocate(block, 1 + random() % 4000);
      }
      static_cast<Owned*>(block)->tenant = tenant;
      if (random() % 2 == 0) {
        mimalloc::enter_tenant(static_cast<uint8_t>(random() % (kMaxTenant + 1)));
      }
      mimalloc::free(cells[random() % std::size(cells)].block.exchange(block));
    }
  };
  for (unsigned generation = 0; generation < kGenerations; ++generation) {
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < kThreads; ++number) {
      threads.emplace_back(work, generation * kThreads + number);
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    int64_t expected[kMaxTenant + 1] = {};
    int64_t expected_blocks[kMaxTenant + 1] = {};
    for (const Cell& cell : cells) {
      const void* const block = cell.block;
      if (block != nullptr) {
        const uint8_t tenant = static_cast<const Owned*>(block)->tenant;
        expected[tenant] += usable(block);
        ++expected_blocks[tenant];
      }
    }
    for (uint8_t tenant = 1; tenant <= kMaxTenant; ++tenant) {
      BOOST_TEST(bytes[tenant] == expected[tenant]);
      BOOST_TEST(blocks[tenant] == expected_blocks[tenant]);
    }
  }
  for (Cell& cell : cells) {
    mimalloc::free(cell.block.exchange(nullptr));
  }
}

BOOST_AUTO_TEST_CASE(a_child_goes_on) {
  BOOST_TEST(mimalloc::enter_tenant(1));
  const std::vector<void*> made = allocate_many(64, 1000);
  const std::vector<void*> left = allocate_by_thread(2, 64, 1000);
  const auto check = [&] {
    void* const more = mimalloc::allocate(64);
    const bool right = bytes[1] == 1001 * 64 && bytes[2] == 1000 * 64;
    free_all(made);
    free_all(left);
    mimalloc::free(more);
    return right && bytes[1] == 0 && bytes[2] == 0;
  };
  BOOST_TEST(spillway::testing::holds_in_child(check));
  BOOST_TEST(bytes[1] == 1000 * 64);
  BOOST_TEST(bytes[2] == 1000 * 64);
  free_all(made);
  free_all(left);
}

// In a thread of a child's, without memory for another block of most sizes.
bool holds_without_memory(bool (*before)(), bool (*after)()) {
  return spillway::testing::holds_in_child([&] {
    bool holds = false;
    std::thread([&] {
      holds = before();
      const rlimit none = {0, 0};
      setrlimit(RLIMIT_AS, &none);
      for (size_t size = 128 << 10; size > 1000; size -= size / 8) {
        while (mimalloc::allocate(size) != nullptr) {
        }
      }
      holds = holds && after();
    }).join();
    return holds;
  });
}

BOOST_AUTO_TEST_CASE(a_thread_without_memory_enters_none) {
  BOOST_TEST(holds_without_memory(
      [] { return true; }, [] { return !mimalloc::enter_tenant(1) && mimalloc::enter_tenant(0); }));
}

BOOST_AUTO_TEST_CASE(a_tenant_without_memory_is_not_charged) {
  static void* charged;
  BOOST_TEST(holds_without_memory(
      [] {
        mimalloc::enter_tenant(1);
        charged = mimalloc::allocate(100);
        mimalloc::enter_tenant(0);
        return mimalloc::allocate(100) != nullptr && bytes[1] != 0;
      },
      [] {
        mimalloc::enter_tenant(2);
        void* const block = mimalloc::allocate(100);
        const bool is_served = block != nullptr && uncharged == 1 && bytes[2] == 0;
        mimalloc::enter_tenant(1);
        mimalloc::free(block);
        mimalloc::free(charged);
        return is_served && bytes[1] == 0 && bytes[2] == 0;
      }));
}

BOOST_AUTO_TEST_SUITE_END()

#endif
