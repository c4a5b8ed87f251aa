// SPDX-License-Identifier: MIT
#include "bench/threads/spsc_ring.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <thread>

namespace bench {
namespace {

void* block(std::uintptr_t number) { return reinterpret_cast<void*>(number); }

BOOST_AUTO_TEST_SUITE(spsc_ring)

BOOST_AUTO_TEST_CASE(try_pop_finds_only_what_is_flushed) {
  SpscRing ring;
  BOOST_TEST(ring.try_pop() == nullptr);
  BOOST_TEST(ring.try_push(block(1)));
  BOOST_TEST(ring.try_pop() == nullptr);
  ring.flush();
  BOOST_TEST(ring.try_pop() == block(1));
  BOOST_TEST(ring.try_pop() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_full_ring_refuses_until_it_has_been_emptied) {
  SpscRing ring;
  for (std::uintptr_t i = 1; i <= SpscRing::kCapacity; ++i) {
    BOOST_TEST(ring.try_push(block(i)));
  }
  BOOST_TEST(!ring.try_push(block(1000)));
  for (std::uintptr_t i = 1; i <= SpscRing::kCapacity; ++i) {
    BOOST_TEST(ring.try_pop() == block(i));
  }
  BOOST_TEST(ring.try_pop() == nullptr);
  BOOST_TEST(ring.try_push(block(1000)));
}

// One waits, the other doesn't: everything arrives once and in order.
BOOST_AUTO_TEST_CASE(blocks_arrive_in_order) {
  constexpr std::uintptr_t kBlocks = 100'000;
  SpscRing ring;
  std::thread producer([&ring] {
    for (std::uintptr_t i = 1; i <= kBlocks; ++i) {
      while (!ring.try_push(block(i))) {
        std::this_thread::yield();
      }
    }
    ring.push(nullptr);
    ring.flush();
  });
  std::uintptr_t expected = 1;
  std::uintptr_t disorder = 0;
  while (void* got = ring.pop()) {
    disorder += got == block(expected++) ? 0U : 1U;
  }
  producer.join();
  BOOST_TEST(disorder == 0U);
  BOOST_TEST(expected == kBlocks + 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
