// SPDX-License-Identifier: MIT
// What fallback.h promises of every mimalloc: errno, alignment, zeroes, ownership.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "alloc/fallback/fallback.h"

namespace fallback = spillway::fallback;

namespace {

constexpr size_t kMiB = size_t{1} << 20;
// More than any machine gives, little enough to pass every check of the request itself.
constexpr size_t kImpossible = PTRDIFF_MAX - 64 * kMiB;
constexpr size_t kSizes[] = {0,    1,         8,        16,       100,      1024,     1025,
                             4095, 64 * 1024, kMiB - 1, kMiB + 1, 3 * kMiB, 40 * kMiB};

bool is_zero(const void* block, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  return std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; });
}

bool fails_with_no_memory(const std::function<void*()>& request) {
  errno = 0;
  return request() == nullptr && errno == ENOMEM;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fallback_contract)

BOOST_AUTO_TEST_CASE(every_size_is_usable_and_leaves_errno_alone) {
  for (const size_t size : kSizes) {
    errno = 1234;
    void* block = fallback::allocate(size);
    BOOST_REQUIRE(block != nullptr);
    const size_t usable = fallback::usable_size(block);
    BOOST_TEST(usable >= size);
    memset(block, 0xA5, usable);
    BOOST_TEST(fallback::usable_size(block) == usable);
    BOOST_TEST(reinterpret_cast<uintptr_t>(block) % fallback::kAlignment == 0u);
    fallback::free(block);
    BOOST_TEST(errno == 1234);
  }
  fallback::free(nullptr);
  BOOST_TEST(fallback::usable_size(nullptr) == 0u);
}

BOOST_AUTO_TEST_CASE(zeroed_blocks_are_zero_also_when_reused) {
  for (int round = 0; round < 3; ++round) {
    for (const size_t size : kSizes) {
      void* block = fallback::allocate_zeroed(size);
      BOOST_REQUIRE(block != nullptr);
      BOOST_TEST(is_zero(block, size));
      memset(block, 0xFF, size);
      fallback::free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(alignment_is_kept_up_to_beyond_a_segment) {
  for (size_t alignment = 8; alignment <= 128 * kMiB; alignment *= 4) {
    for (const size_t size : {size_t{1}, size_t{100}, size_t{5000}, 2 * kMiB}) {
      void* plain = fallback::allocate_aligned(alignment, size);
      void* zeroed = fallback::allocate_zeroed_aligned(alignment, size);
      BOOST_REQUIRE(plain != nullptr && zeroed != nullptr);
      BOOST_TEST(reinterpret_cast<uintptr_t>(plain) % alignment == 0u);
      BOOST_TEST(reinterpret_cast<uintptr_t>(zeroed) % alignment == 0u);
      BOOST_TEST(is_zero(zeroed, size));
      memset(plain, 1, size);
      memset(zeroed, 1, size);
      BOOST_TEST(fallback::usable_size(plain) >= size);
      fallback::free(plain);
      fallback::free(zeroed);
    }
  }
}

BOOST_AUTO_TEST_CASE(small_blocks_are_aligned_like_all_others) {
  const auto is_aligned = [](void* block) {
    return block != nullptr && reinterpret_cast<uintptr_t>(block) % fallback::kAlignment == 0;
  };
  std::vector<void*> blocks;
  for (int round = 0; round < 100; ++round) {
    for (size_t size = 0; size <= 64; ++size) {
      blocks.push_back(fallback::allocate(size));
      blocks.push_back(fallback::allocate_zeroed(size));
      blocks.push_back(fallback::allocate_aligned(1, size));
      blocks.push_back(fallback::allocate_zeroed_aligned(16, size));
      blocks.push_back(fallback::reallocate(nullptr, size));
      blocks.push_back(fallback::reallocate(fallback::allocate(size), 64 - size));
    }
  }
  BOOST_TEST(std::all_of(blocks.begin(), blocks.end(), is_aligned));
  std::for_each(blocks.begin(), blocks.end(), fallback::free);
}

BOOST_AUTO_TEST_CASE(reallocate_keeps_contents) {
  auto* block = static_cast<unsigned char*>(fallback::reallocate(nullptr, 10));
  BOOST_REQUIRE(block != nullptr);
  for (unsigned char i = 0; i < 10; ++i) {
    block[i] = i;
  }
  for (const size_t size : {size_t{1000}, 5 * kMiB, size_t{100'000}, size_t{10}}) {
    block = static_cast<unsigned char*>(fallback::reallocate(block, size));
    BOOST_REQUIRE(block != nullptr);
    for (unsigned char i = 0; i < 10; ++i) {
      BOOST_TEST(block[i] == i);
    }
  }
  void* smallest = fallback::reallocate(block, 0);
  BOOST_TEST(smallest != nullptr);
  fallback::free(smallest);
}

BOOST_AUTO_TEST_CASE(impossible_requests_give_enomem) {
  for (const size_t size : {kImpossible, size_t{PTRDIFF_MAX}}) {
    BOOST_TEST(fails_with_no_memory([=] { return fallback::allocate(size); }));
    BOOST_TEST(fails_with_no_memory([=] { return fallback::allocate_zeroed(size); }));
    for (const size_t alignment : {size_t{64}, kMiB, 64 * kMiB}) {
      BOOST_TEST(fails_with_no_memory([=] { return fallback::allocate_aligned(alignment, size); }));
      BOOST_TEST(
          fails_with_no_memory([=] { return fallback::allocate_zeroed_aligned(alignment, size); }));
    }
    auto* block = static_cast<char*>(fallback::allocate(100));
    BOOST_REQUIRE(block != nullptr);
    *block = 'x';
    BOOST_TEST(fails_with_no_memory([=] { return fallback::reallocate(block, size); }));
    BOOST_TEST(*block == 'x');
    fallback::free(block);
  }
}

BOOST_AUTO_TEST_CASE(ownership_tells_own_memory_from_foreign) {
  static int in_the_program;
  int on_the_stack = 0;
  for (const size_t size : kSizes) {
    void* block = fallback::allocate(size);
    BOOST_TEST((fallback::ownership(block) != fallback::Ownership::kForeign));
    fallback::free(block);
  }
  BOOST_TEST((fallback::ownership(&in_the_program) != fallback::Ownership::kOwned));
  BOOST_TEST((fallback::ownership(&on_the_stack) != fallback::Ownership::kOwned));
  BOOST_TEST(
      (fallback::ownership(reinterpret_cast<void*>(0x1000)) == fallback::Ownership::kForeign));
}

BOOST_AUTO_TEST_CASE(memory_of_others_is_not_taken_for_blocks) {
  constexpr size_t kHuge = size_t{3} << 29;  // placed by the kernel
  std::vector<size_t> sizes(std::begin(kSizes), std::end(kSizes));
  sizes.push_back(kHuge);
  for (const size_t size : sizes) {
    for (const size_t alignment : {size_t{16}, kMiB, 64 * kMiB}) {
      void* block = fallback::allocate_aligned(alignment, size);
      BOOST_REQUIRE((block != nullptr || size == kHuge));
      if (block != nullptr) {
        BOOST_TEST((fallback::is_near(block) || fallback::may_hold(block)));
        BOOST_TEST(fallback::may_hold(block));
        fallback::free(block);
      }
    }
  }
  static int in_the_program;
  int on_the_stack = 0;
  BOOST_TEST(!fallback::is_near(nullptr));
  for (const void* address :
       {static_cast<const void*>(&in_the_program), static_cast<const void*>(&on_the_stack)}) {
    BOOST_TEST(!fallback::is_near(address));
#if SPILLWAY_FALLBACK_EXTENDED
    BOOST_TEST(!fallback::may_hold(address));
#endif
  }
  for (const uintptr_t address : {uintptr_t{1}, uintptr_t{4096}, UINTPTR_MAX}) {
    BOOST_TEST(!fallback::is_near(reinterpret_cast<void*>(address)));
#if SPILLWAY_FALLBACK_EXTENDED
    BOOST_TEST(!fallback::may_hold(reinterpret_cast<void*>(address)));
#endif
  }
}

BOOST_AUTO_TEST_CASE(figures) {
  BOOST_TEST(fallback::version() >= 20009);
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.push_back(fallback::allocate(kMiB + 1));
    memset(blocks.back(), 1, kMiB);
  }
  const fallback::Footprint footprint = fallback::footprint();
  BOOST_TEST(footprint.peak_committed >= footprint.committed);
  for (void* block : blocks) {
    fallback::free(block);
  }
  fallback::collect(false);
  fallback::collect(true);
}

BOOST_AUTO_TEST_SUITE_END()
