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

#include "alloc/mimalloc/calls.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;

namespace {

const void* told = nullptr;
int times_told = 0;

struct Told {
  Told() {
    told = nullptr;
    times_told = 0;
    mimalloc::on_double_free([](const void* block) {
      told = block;
      ++times_told;
    });
  }
  ~Told() { mimalloc::on_double_free(nullptr); }
};

// Whether the next blocks of the size, more than a page has, are all different.
bool blocks_differ(size_t size) {
  std::vector<void*> blocks(5000);
  for (void*& block : blocks) {
    block = mimalloc::allocate(size);
  }
  const std::set<void*> different(blocks.begin(), blocks.end());
  for (void* block : blocks) {
    mimalloc::free(block);
  }
  return different.size() == blocks.size();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mimalloc_freed_mark, Told)

BOOST_AUTO_TEST_CASE(a_second_free_is_told_and_ignored) {
  int expected = 0;
  for (const size_t size : std::initializer_list<size_t>{0, 1, 16, 17, 100, 1024, 4000, 100'000}) {
    void* other = mimalloc::allocate(size);
    void* block = mimalloc::allocate(size);
    memset(block, 0x5A, size);
    BOOST_TEST(!mimalloc::is_known_free(block));
    mimalloc::free(block);
    BOOST_TEST(mimalloc::is_known_free(block));
    mimalloc::free(block);
    BOOST_TEST(times_told == ++expected);
    BOOST_TEST(told == block);
    BOOST_TEST(blocks_differ(size));
    mimalloc::free(other);
  }
}

BOOST_AUTO_TEST_CASE(of_another_thread_too) {
  void* block = mimalloc::allocate(100);
  std::thread([block] { mimalloc::free(block); }).join();
  mimalloc::free(block);
  BOOST_TEST(times_told == 1);
  std::thread([block] { mimalloc::free(block); }).join();
  BOOST_TEST(times_told == 2);
  BOOST_TEST(blocks_differ(100));
}

BOOST_AUTO_TEST_CASE(of_aligned_blocks_too) {
  void* block = mimalloc::allocate_aligned(4096, 5000);
  void* other = mimalloc::allocate_aligned(4096, 5000);
  mimalloc::free(block);
  mimalloc::free(block);
  BOOST_TEST(times_told == 1);
  mimalloc::free(other);
}

BOOST_AUTO_TEST_CASE(a_block_that_is_taken_again_is_not_marked) {
  for (int i = 0; i < 10000; ++i) {
    const size_t size = 16 + static_cast<size_t>(i) % 500;
    mimalloc::free(mimalloc::allocate(size));
    void* block = mimalloc::allocate_zeroed(size);
    BOOST_REQUIRE(!mimalloc::is_known_free(block));
    const auto* words = static_cast<const uint64_t*>(block);
    BOOST_REQUIRE((words[0] == 0 && words[1] == 0));
    mimalloc::free(block);
  }
  BOOST_TEST(times_told == 0);
}

BOOST_AUTO_TEST_CASE(a_freed_block_of_another_size_s_page_is_no_false_alarm) {
  for (int round = 0; round < 20; ++round) {
    for (const size_t size : std::initializer_list<size_t>{16, 48, 160, 1000}) {
      std::vector<void*> blocks(3000);
      for (void*& block : blocks) {
        block = mimalloc::allocate(size);
      }
      for (void* block : blocks) {
        mimalloc::free(block);
      }
    }
  }
  BOOST_TEST(times_told == 0);
}

// Aligned blocks may start where one of another size did, and keep that one's mark.
BOOST_AUTO_TEST_CASE(an_aligned_block_at_a_freed_one_s_address_is_no_false_alarm) {
  std::vector<void*> blocks(20000);
  for (void*& block : blocks) {
    block = mimalloc::allocate(64);
  }
  for (void* block : blocks) {
    mimalloc::free(block);
  }
  blocks.resize(2000);
  for (void*& block : blocks) {
    block = mimalloc::allocate_aligned(64, 90);
    BOOST_REQUIRE(!mimalloc::is_known_free(block));
  }
  for (void* block : blocks) {
    mimalloc::free(block);
    BOOST_REQUIRE(times_told == 0);
    BOOST_REQUIRE(mimalloc::is_known_free(block));
  }
}

BOOST_AUTO_TEST_CASE(an_address_inside_of_a_huge_block_is_known) {
  auto* block = static_cast<char*>(mimalloc::allocate(size_t{70} << 20));
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!mimalloc::is_near(block));
  BOOST_TEST(mimalloc::may_hold(block));
  BOOST_TEST(mimalloc::block_around(block) == nullptr);
  BOOST_TEST(mimalloc::block_around(block + 16) == block);
  BOOST_TEST(mimalloc::block_around(block - 16) == block);
  BOOST_TEST(!mimalloc::may_hold(block + (size_t{40} << 20)));
  mimalloc::free(block);
  BOOST_TEST(!mimalloc::may_hold(block));
  void* small = mimalloc::allocate(100);
  BOOST_TEST(mimalloc::block_around(static_cast<char*>(small) + 16) == nullptr);  // not known
  mimalloc::free(small);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
