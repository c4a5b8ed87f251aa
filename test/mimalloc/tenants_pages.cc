// SPDX-License-Identifier: MIT
// Pages of mimalloc whose blocks are a tenant's, when threads end: another thread finds them, and
// uses them for the same tenant alone.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "test/mimalloc/tenants_fixture.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;
using namespace mimalloc::testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(mimalloc_tenants_pages, TenantsFixture)

// Pages that the end of a thread left behind, partly used.
BOOST_AUTO_TEST_CASE(what_a_thread_leaves_serves_no_other_tenant) {
  constexpr size_t kCount = 20'000;
  for (const size_t size : {64U, 1500U}) {
    for (uint8_t finder = 0; finder <= 2; ++finder) {
      std::vector<void*> left = allocate_by_thread(1, size, kCount);
      BOOST_TEST(blocks[1] == static_cast<int64_t>(kCount));
      std::set<void*> free_places;
      for (size_t i = 0; i < kCount; i += 2) {
        free_places.insert(left[i]);
        mimalloc::free(left[i]);
      }
      BOOST_TEST(blocks[1] == static_cast<int64_t>(kCount / 2));
      // A thread finds them when it needs pages.
      size_t reused = 0;
      std::thread([&] {
        mimalloc::enter_tenant(finder);
        const std::vector<void*> found = allocate_many(size, 2 * kCount);
        for (void* block : found) {
          reused += free_places.count(block);
        }
        const int64_t expected = finder == 1 ? kCount / 2 + 2 * kCount : kCount / 2;
        BOOST_TEST(blocks[1] == expected);
        BOOST_TEST(blocks[2] == (finder == 2 ? static_cast<int64_t>(2 * kCount) : 0));
        free_all(found);
      }).join();
      BOOST_TEST((reused != 0) == (finder == 1), finder << " reused " << reused);
      for (size_t i = 1; i < kCount; i += 2) {
        mimalloc::free(left[i]);
      }
      require_nothing_charged();
    }
  }
}

// Room for a request in pages of another tenant alone: it is served all the same.
BOOST_AUTO_TEST_CASE(a_thread_that_finds_only_pages_of_another_tenant_takes_fresh_memory) {
  constexpr size_t kSize = 64 << 10;
  constexpr size_t kSegment = 32 << 20;
  std::vector<void*> left;
  std::thread([&] {
    mimalloc::enter_tenant(1);
    // Segments without a free page, each page with a free block.
    std::set<size_t> segments;
    while (segments.size() <= 8) {
      left.push_back(mimalloc::allocate(kSize));
      segments.insert(reinterpret_cast<uintptr_t>(left.back()) / kSegment);
    }
    mimalloc::free(left.back());
    left.pop_back();
    for (size_t i = 0; i < left.size(); i += 4) {
      mimalloc::free(left[i]);
      left[i] = nullptr;
    }
  }).join();
  for (uint8_t finder = 0; finder <= 2; finder += 2) {
    std::thread([&] {
      mimalloc::enter_tenant(finder);
      for (int i = 0; i < 8; ++i) {
        void* const block = mimalloc::allocate(kSize);
        BOOST_TEST_REQUIRE(block != nullptr);
        mimalloc::free(block);
      }
    }).join();
  }
  free_all(left);
}

// The same for blocks of no tenant that a thread in one finds.
BOOST_AUTO_TEST_CASE(what_a_thread_in_none_leaves_is_never_charged) {
  std::vector<void*> left = allocate_by_thread(0, 64, 20'000);
  for (size_t i = 0; i < left.size(); i += 2) {
    mimalloc::free(left[i]);
  }
  std::thread([&] {
    mimalloc::enter_tenant(1);
    const std::vector<void*> found = allocate_many(64, 40'000);
    BOOST_TEST(blocks[1] == 40'000);
    for (size_t i = 1; i < left.size(); i += 2) {
      mimalloc::free(left[i]);
    }
    BOOST_TEST(blocks[1] == 40'000);
    free_all(found);
  }).join();
}

// Kept among the full pages of a thread that is in none, its blocks freed there and by others.
BOOST_AUTO_TEST_CASE(pages_that_wait_to_be_empty_go_back) {
  for (const size_t size : {64U, 1500U, 4000U}) {
    std::vector<void*> left = allocate_by_thread(1, size, 10'000);
    const std::set<void*> places(left.begin(), left.end());
    std::thread([&] {
      for (size_t i = 0; i < left.size(); i += 3) {
        mimalloc::free(left[i]);
      }
      const std::vector<void*> own = allocate_many(size, 20'000);  // finds them
      for (size_t i = 1; i < left.size(); i += 3) {
        mimalloc::free(left[i]);
      }
      std::thread([&] {
        for (size_t i = 2; i < left.size(); i += 3) {
          mimalloc::free(left[i]);
        }
      }).join();
      require_nothing_charged();
      mimalloc::collect(true);
      const std::vector<void*> more = allocate_many(size, 40'000);
      size_t reused = 0;
      for (void* block : more) {
        reused += places.count(block);
      }
      BOOST_TEST(reused > left.size() / 2);
      require_nothing_charged();
      free_all(own);
      free_all(more);
    }).join();
  }
}

BOOST_AUTO_TEST_CASE(a_tenant_that_is_left_again_and_again_gives_its_empty_pages_back) {
  std::thread([] {
    mimalloc::enter_tenant(1);
    free_all(allocate_many(64, 1));
    mimalloc::enter_tenant(0);
    const size_t before = mimalloc::live().bytes;
    mimalloc::enter_tenant(1);
    void* const block = mimalloc::allocate(3000);
    mimalloc::enter_tenant(2);
    void* const other = mimalloc::allocate(64);
    mimalloc::free(other);
    mimalloc::free(block);
    for (int i = 0; i < 20; ++i) {
      mimalloc::enter_tenant(1);
      mimalloc::enter_tenant(2);
      mimalloc::enter_tenant(0);
    }
    BOOST_TEST(mimalloc::live().bytes < before + 8192);
    mimalloc::collect(true);
  }).join();
}

// Full pages whose blocks another thread frees while their thread works elsewhere.
BOOST_AUTO_TEST_CASE(what_others_free_goes_back_although_the_thread_never_returns) {
  constexpr size_t kSize = 1000;
  constexpr size_t kCount = 20'000;
  for (uint8_t from = 0; from <= 1; ++from) {
    for (uint8_t to = 0; to <= 2; ++to) {
      if (from == to) {
        continue;
      }
      std::thread([&] {
        for (const uint8_t tenant : {to, from}) {  // `from` is where it begins
          mimalloc::enter_tenant(tenant);
          mimalloc::free(mimalloc::allocate(3000));
        }
        const size_t before = mimalloc::live().bytes;
        const std::vector<void*> handed = allocate_many(kSize, kCount);
        mimalloc::enter_tenant(to);
        std::thread([&] { free_all(handed); }).join();
        require_nothing_charged();
        BOOST_TEST(mimalloc::live().bytes > before + kCount * kSize / 2);
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        free_all(allocate_many(3000, 50));  // each a slow request
        BOOST_TEST(mimalloc::live().bytes < before + 32'768, +from << " to " << +to);
      }).join();
    }
  }
}

// The same where it makes no requests, but goes to and fro between two others.
BOOST_AUTO_TEST_CASE(what_others_free_goes_back_as_the_thread_changes_tenants) {
  std::thread([] {
    mimalloc::enter_tenant(1);
    const size_t before = mimalloc::live().bytes;
    const std::vector<void*> handed = allocate_many(1000, 20'000);
    mimalloc::enter_tenant(0);
    std::thread([&] { free_all(handed); }).join();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    for (int i = 0; i < 50; ++i) {
      mimalloc::enter_tenant(2);
      mimalloc::enter_tenant(0);
    }
    BOOST_TEST(mimalloc::live().bytes < before + 32'768);
  }).join();
}

// Pages that wait among a thread's own full ones become its heap's for their tenant, and are left
// behind with it, while another thread frees the last block of each.
BOOST_AUTO_TEST_CASE(pages_change_heaps_while_others_free_their_blocks) {
  constexpr size_t kSize = 4000;
  constexpr size_t kCount = 3000;
  constexpr size_t kPerPage = 16;
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> left = allocate_by_thread(1, kSize, kCount);
    std::atomic<bool> found{false};
    std::thread owner([&] {
      // Finds the pages, and leaves one block of each in use.
      const std::vector<void*> own = allocate_many(kSize, kCount);
      for (size_t i = 0; i < kCount; ++i) {
        if (i % kPerPage != 0) {
          mimalloc::free(left[i]);
        }
      }
      found = true;
      mimalloc::enter_tenant(1);
      mimalloc::free(mimalloc::allocate(64));  // takes the pages over
      free_all(own);
    });
    while (!found) {
      std::this_thread::yield();
    }
    for (size_t i = 0; i < kCount; i += kPerPage) {
      mimalloc::free(left[i]);
    }
    owner.join();
    require_nothing_charged();
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
