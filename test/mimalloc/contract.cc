// SPDX-License-Identifier: MIT
// What calls.h promises of every mimalloc: errno, alignment, zeroes, ownership.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "alloc/mimalloc/calls.h"

namespace mimalloc = spillway::mimalloc;

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

BOOST_AUTO_TEST_SUITE(mimalloc_contract)

BOOST_AUTO_TEST_CASE(every_size_is_usable_and_leaves_errno_alone) {
  for (const size_t size : kSizes) {
    errno = 1234;
    void* block = mimalloc::allocate(size);
    BOOST_REQUIRE(block != nullptr);
    const size_t usable = mimalloc::usable_size(block);
    BOOST_TEST(usable >= size);
    memset(block, 0xA5, usable);
    BOOST_TEST(mimalloc::usable_size(block) == usable);
    BOOST_TEST(reinterpret_cast<uintptr_t>(block) % mimalloc::kAlignment == 0u);
    mimalloc::free(block);
    BOOST_TEST(errno == 1234);
  }
  mimalloc::free(nullptr);
  BOOST_TEST(mimalloc::usable_size(nullptr) == 0u);
}

BOOST_AUTO_TEST_CASE(zeroed_blocks_are_zero_also_when_reused) {
  for (int round = 0; round < 3; ++round) {
    for (const size_t size : kSizes) {
      void* block = mimalloc::allocate_zeroed(size);
      BOOST_REQUIRE(block != nullptr);
      BOOST_TEST(is_zero(block, size));
      memset(block, 0xFF, size);
      mimalloc::free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(alignment_is_kept_up_to_beyond_a_segment) {
  for (size_t alignment = 8; alignment <= 128 * kMiB; alignment *= 4) {
    for (const size_t size : {size_t{1}, size_t{100}, size_t{5000}, 2 * kMiB}) {
      void* block = mimalloc::allocate_aligned(alignment, size);
      BOOST_REQUIRE(block != nullptr);
      BOOST_TEST(reinterpret_cast<uintptr_t>(block) % alignment == 0u);
      memset(block, 1, size);
      BOOST_TEST(mimalloc::usable_size(block) >= size);
      mimalloc::free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(small_blocks_are_aligned_like_all_others) {
  const auto is_aligned = [](void* block) {
    return block != nullptr && reinterpret_cast<uintptr_t>(block) % mimalloc::kAlignment == 0;
  };
  std::vector<void*> blocks;
  for (int round = 0; round < 100; ++round) {
    for (size_t size = 0; size <= 64; ++size) {
      blocks.push_back(mimalloc::allocate(size));
      blocks.push_back(mimalloc::allocate_zeroed(size));
      blocks.push_back(mimalloc::allocate_aligned(1, size));
      blocks.push_back(mimalloc::reallocate(nullptr, size));
      blocks.push_back(mimalloc::reallocate(mimalloc::allocate(size), 64 - size));
    }
  }
  BOOST_TEST(std::all_of(blocks.begin(), blocks.end(), is_aligned));
  std::for_each(blocks.begin(), blocks.end(), mimalloc::free);
}

BOOST_AUTO_TEST_CASE(reallocate_keeps_contents) {
  auto* block = static_cast<unsigned char*>(mimalloc::reallocate(nullptr, 10));
  BOOST_REQUIRE(block != nullptr);
  for (unsigned char i = 0; i < 10; ++i) {
    block[i] = i;
  }
  for (const size_t size : {size_t{1000}, 5 * kMiB, size_t{100'000}, size_t{10}}) {
    block = static_cast<unsigned char*>(mimalloc::reallocate(block, size));
    BOOST_REQUIRE(block != nullptr);
    for (unsigned char i = 0; i < 10; ++i) {
      BOOST_TEST(block[i] == i);
    }
  }
  void* smallest = mimalloc::reallocate(block, 0);
  BOOST_TEST(smallest != nullptr);
  mimalloc::free(smallest);
}

BOOST_AUTO_TEST_CASE(impossible_requests_give_enomem) {
  for (const size_t size : {kImpossible, size_t{PTRDIFF_MAX}}) {
    BOOST_TEST(fails_with_no_memory([=] { return mimalloc::allocate(size); }));
    BOOST_TEST(fails_with_no_memory([=] { return mimalloc::allocate_zeroed(size); }));
    for (const size_t alignment : {size_t{64}, kMiB, 64 * kMiB}) {
      BOOST_TEST(fails_with_no_memory([=] { return mimalloc::allocate_aligned(alignment, size); }));
    }
    auto* block = static_cast<char*>(mimalloc::allocate(100));
    BOOST_REQUIRE(block != nullptr);
    *block = 'x';
    BOOST_TEST(fails_with_no_memory([=] { return mimalloc::reallocate(block, size); }));
    BOOST_TEST(*block == 'x');
    mimalloc::free(block);
  }
}

BOOST_AUTO_TEST_CASE(ownership_tells_own_memory_from_foreign) {
  static int in_the_program;
  int on_the_stack = 0;
  for (const size_t size : kSizes) {
    void* block = mimalloc::allocate(size);
    BOOST_TEST((mimalloc::ownership(block) != mimalloc::Ownership::kForeign));
    mimalloc::free(block);
  }
  BOOST_TEST((mimalloc::ownership(&in_the_program) != mimalloc::Ownership::kOwned));
  BOOST_TEST((mimalloc::ownership(&on_the_stack) != mimalloc::Ownership::kOwned));
  BOOST_TEST(
      (mimalloc::ownership(reinterpret_cast<void*>(0x1000)) == mimalloc::Ownership::kForeign));
}

BOOST_AUTO_TEST_CASE(memory_of_others_is_not_taken_for_blocks) {
  constexpr size_t kHuge = size_t{3} << 29;  // placed by the kernel
  std::vector<size_t> sizes(std::begin(kSizes), std::end(kSizes));
  sizes.push_back(kHuge);
  for (const size_t size : sizes) {
    for (const size_t alignment : {size_t{16}, kMiB, 64 * kMiB}) {
      void* block = mimalloc::allocate_aligned(alignment, size);
      BOOST_REQUIRE((block != nullptr || size == kHuge));
      if (block != nullptr) {
        BOOST_TEST((mimalloc::is_near(block) || mimalloc::may_hold(block)));
        BOOST_TEST(mimalloc::may_hold(block));
        mimalloc::free(block);
      }
    }
  }
  static int in_the_program;
  int on_the_stack = 0;
  BOOST_TEST(!mimalloc::is_near(nullptr));
  for (const void* address :
       {static_cast<const void*>(&in_the_program), static_cast<const void*>(&on_the_stack)}) {
    BOOST_TEST(!mimalloc::is_near(address));
#if SPILLWAY_MIMALLOC_EXTENDED
    BOOST_TEST(!mimalloc::may_hold(address));
#endif
  }
  for (const uintptr_t address : {uintptr_t{1}, uintptr_t{4096}, UINTPTR_MAX}) {
    BOOST_TEST(!mimalloc::is_near(reinterpret_cast<void*>(address)));
#if SPILLWAY_MIMALLOC_EXTENDED
    BOOST_TEST(!mimalloc::may_hold(reinterpret_cast<void*>(address)));
#endif
  }
}

BOOST_AUTO_TEST_CASE(figures) {
  BOOST_TEST(mimalloc::version() >= 20009);
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.push_back(mimalloc::allocate(kMiB + 1));
    memset(blocks.back(), 1, kMiB);
  }
  const mimalloc::Footprint footprint = mimalloc::footprint();
  BOOST_TEST(footprint.peak_committed >= footprint.committed);
  for (void* block : blocks) {
    mimalloc::free(block);
  }
  mimalloc::collect(false);
  mimalloc::collect(true);
}

BOOST_AUTO_TEST_SUITE_END()
