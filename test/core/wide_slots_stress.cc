// SPDX-License-Identifier: MIT
// Threads take, grow and free blocks in wide slots while memory goes back; contents stay their
// owners'. It goes on until enough has happened, however long that takes.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "test/core/wide_slots_fixture.h"
#include "test/random.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr int kGiven = 2000;  // blocks, by all threads together
constexpr int kPasses = 200;

BOOST_AUTO_TEST_SUITE(wide_slots_stress)

// Threads that take, resize and give while another purges. A word of each page says whose it is.
struct Stress : ManySlots {
  struct Held {
    uint64_t* block;
    size_t size;
    uint64_t stamp;
  };
  static constexpr size_t kStep = kGranuleSize / sizeof(uint64_t);

  static void write(const Held& one, size_t from) {
    for (size_t at = align_up(from, kGranuleSize) / sizeof(uint64_t);
         at < one.size / sizeof(uint64_t); at += kStep) {
      one.block[at] = one.stamp + at;
    }
  }
  void check(const Held& one, size_t size) {
    for (size_t at = 0; at < size / sizeof(uint64_t); at += kStep) {
      overwritten += one.block[at] != one.stamp + at ? 1 : 0;
    }
  }
  void take_one(uint32_t dice, uint64_t stamp, std::vector<Held>& held) {
    const size_t size = kMiB / 4 + dice % 1000 * kKiB;
    auto* block = static_cast<uint64_t*>(get(size));
    if (block == nullptr) {
      return;
    }
    held.push_back({block, size, stamp});
    write(held.back(), 0);
  }
  void resize_one(uint32_t dice, Held& one) {
    const size_t size = kMiB / 4 + dice % 3000 * kKiB;
    const size_t before = one.size;
    check(one, before);
    if (wide.resize(one.block, size)) {
      one.size = size;
      check(one, std::min(before, size));
      write(one, std::min(before, size));
    } else {
      ++not_resized;
    }
  }
  void work(uint32_t seed) {
    spillway::testing::Random random(seed);
    uint64_t stamp = uint64_t{seed} << 32;
    std::vector<Held> held;
    while (!enough) {
      const uint32_t dice = random();
      if (held.size() < 8 && dice % 3 == 0) {
        take_one(dice / 3, stamp += 1 << 20, held);
      } else if (!held.empty() && dice % 3 == 1) {
        resize_one(dice / 3, held[dice % held.size()]);
      } else if (!held.empty()) {
        const size_t at = dice % held.size();
        check(held[at], held[at].size);
        give(held[at].block);
        held[at] = held.back();
        held.pop_back();
        ++given;
      }
    }
    for (const Held& one : held) {
      check(one, one.size);
      give(one.block);
    }
  }

  std::atomic<int> overwritten{0};
  std::atomic<int> not_resized{0};
  std::atomic<int> given{0};
  std::atomic<bool> enough{false};
};

BOOST_FIXTURE_TEST_CASE(blocks_are_their_owners_while_others_purge, Stress) {
  std::vector<std::thread> threads;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([this, seed] { work(seed); });
  }
  const auto is_enough = [this](int passes) {
    return passes >= kPasses && given >= kGiven && wide.purged_bytes() > 0;
  };
  const spillway::testing::HangGuard guard;
  for (int passes = 0; !is_enough(passes) && !guard.expired(); ++passes) {
    purge_old();
    std::this_thread::yield();
  }
  enough = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(overwritten == 0);
  BOOST_TEST(not_resized == 0);
  BOOST_TEST(given >= kGiven);
  BOOST_TEST(!refused);
  BOOST_TEST(wide.purged_bytes() > 0U);
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(live_bytes() == 0U);
  BOOST_TEST(wide.touched_bytes() - wide.purged_bytes() == free_bytes());
  std::set<void*> all;
  for (void* block; (block = get(1)) != nullptr;) {
    all.insert(block);
  }
  BOOST_TEST(all.size() == area / kSlot);
  BOOST_TEST(snapshot().large_blocks == all.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
