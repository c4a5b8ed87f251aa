// SPDX-License-Identifier: MIT
// Blocks that are freed while they are free: told, and nothing else happens to them.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <set>
#include <thread>
#include <vector>

#include "alloc/fallback/fallback.h"

#if SPILLWAY_FALLBACK_EXTENDED

namespace fallback = spillway::fallback;

namespace {

const void* told = nullptr;
int times_told = 0;

struct Told {
  Told() {
    told = nullptr;
    times_told = 0;
    fallback::on_double_free([](const void* block) {
      told = block;
      ++times_told;
    });
  }
  ~Told() { fallback::on_double_free(nullptr); }
};

// Whether the next blocks of the size, more than a page has, are all different.
bool blocks_differ(size_t size) {
  std::vector<void*> blocks(5000);
  for (void*& block : blocks) {
    block = fallback::allocate(size);
  }
  const std::set<void*> different(blocks.begin(), blocks.end());
  for (void* block : blocks) {
    fallback::free(block);
  }
  return different.size() == blocks.size();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fallback_freed_mark, Told)

BOOST_AUTO_TEST_CASE(a_second_free_is_told_and_ignored) {
  int expected = 0;
  for (const size_t size : std::initializer_list<size_t>{0, 1, 16, 17, 100, 1024, 4000, 100'000}) {
    void* other = fallback::allocate(size);
    void* block = fallback::allocate(size);
    memset(block, 0x5A, size);
    BOOST_TEST(!fallback::is_known_free(block));
    fallback::free(block);
    BOOST_TEST(fallback::is_known_free(block));
    fallback::free(block);
    BOOST_TEST(times_told == ++expected);
    BOOST_TEST(told == block);
    BOOST_TEST(blocks_differ(size));
    fallback::free(other);
  }
}

BOOST_AUTO_TEST_CASE(of_another_thread_too) {
  void* block = fallback::allocate(100);
  std::thread([block] { fallback::free(block); }).join();
  fallback::free(block);
  BOOST_TEST(times_told == 1);
  std::thread([block] { fallback::free(block); }).join();
  BOOST_TEST(times_told == 2);
  BOOST_TEST(blocks_differ(100));
}

BOOST_AUTO_TEST_CASE(of_aligned_blocks_too) {
  void* block = fallback::allocate_aligned(4096, 5000);
  void* other = fallback::allocate_aligned(4096, 5000);
  fallback::free(block);
  fallback::free(block);
  BOOST_TEST(times_told == 1);
  fallback::free(other);
}

BOOST_AUTO_TEST_CASE(a_block_that_is_taken_again_is_not_marked) {
  for (int i = 0; i < 10000; ++i) {
    const size_t size = 16 + static_cast<size_t>(i) % 500;
    fallback::free(fallback::allocate(size));
    void* block = fallback::allocate_zeroed(size);
    BOOST_REQUIRE(!fallback::is_known_free(block));
    const auto* words = static_cast<const uint64_t*>(block);
    BOOST_REQUIRE((words[0] == 0 && words[1] == 0));
    fallback::free(block);
  }
  BOOST_TEST(times_told == 0);
}

BOOST_AUTO_TEST_CASE(a_freed_block_of_another_size_s_page_is_no_false_alarm) {
  for (int round = 0; round < 20; ++round) {
    for (const size_t size : std::initializer_list<size_t>{16, 48, 160, 1000}) {
      std::vector<void*> blocks(3000);
      for (void*& block : blocks) {
        block = fallback::allocate(size);
      }
      for (void* block : blocks) {
        fallback::free(block);
      }
    }
  }
  BOOST_TEST(times_told == 0);
}

// Aligned blocks may start where one of another size did, and keep that one's mark.
BOOST_AUTO_TEST_CASE(an_aligned_block_at_a_freed_one_s_address_is_no_false_alarm) {
  std::vector<void*> blocks(20000);
  for (void*& block : blocks) {
    block = fallback::allocate(64);
  }
  for (void* block : blocks) {
    fallback::free(block);
  }
  blocks.resize(2000);
  for (void*& block : blocks) {
    block = fallback::allocate_aligned(64, 90);
    BOOST_REQUIRE(!fallback::is_known_free(block));
  }
  for (void* block : blocks) {
    fallback::free(block);
    BOOST_REQUIRE(times_told == 0);
    BOOST_REQUIRE(fallback::is_known_free(block));
  }
}

BOOST_AUTO_TEST_CASE(an_address_inside_of_a_huge_block_is_known) {
  auto* block = static_cast<char*>(fallback::allocate(size_t{70} << 20));
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!fallback::is_near(block));
  BOOST_TEST(fallback::may_hold(block));
  BOOST_TEST(fallback::block_around(block) == nullptr);
  BOOST_TEST(fallback::block_around(block + 16) == block);
  BOOST_TEST(fallback::block_around(block - 16) == block);
  BOOST_TEST(!fallback::may_hold(block + (size_t{40} << 20)));
  fallback::free(block);
  BOOST_TEST(!fallback::may_hold(block));
  void* small = fallback::allocate(100);
  BOOST_TEST(fallback::block_around(static_cast<char*>(small) + 16) == nullptr);  // not known
  fallback::free(small);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
