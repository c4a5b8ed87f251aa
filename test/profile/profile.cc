// SPDX-License-Identifier: MIT
#include "alloc/profile/profile.h"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "alloc/profile/frame_table.h"
#include "test/forked_child.h"
#include "test/os/faulty_memory.h"
#include "test/profile/fixture.h"

namespace spillway::profile {
namespace {

StackCounts::Sum sum_of(const Profile& profile) {
  StackCounts::Sum sum{};
  profile.stacks().for_each([&](const Stack& stack) {
    sum.allocated.bytes += stack.counts.sum().allocated.bytes;
    sum.live.bytes += stack.counts.sum().live.bytes;
    sum.live.blocks += stack.counts.sum().live.blocks;
  });
  return sum;
}

size_t stacks_of(const Profile& profile) {
  size_t count = 0;
  profile.stacks().for_each([&](const Stack&) { ++count; });
  return count;
}

BOOST_FIXTURE_TEST_SUITE(profile_profile, testing::ProfileFixture)

BOOST_AUTO_TEST_CASE(a_sample_is_counted_until_it_is_freed) {
  BOOST_TEST(!profile.exists());
  BOOST_REQUIRE(profile.start(4096, 1));
  BOOST_TEST(profile.is_on());
  const Sampler::Weight weight = profile.sampler().weight(1000, 1000);
  const uint32_t number = profile.note_allocation(nullptr, 1000, 1000);
  BOOST_REQUIRE(number != 0U);
  BOOST_TEST(number < 1U << 24);
  BOOST_TEST(profile.size_of(number) == 1000U);
  BOOST_TEST(profile.taken() == 1U);
  BOOST_TEST(profile.live() == 1U);
  BOOST_TEST(sum_of(profile).live.bytes == weight.bytes);
  profile.note_free(nullptr, number);
  BOOST_TEST(profile.live() == 0U);
  BOOST_TEST(sum_of(profile).live.bytes == 0U);
  BOOST_TEST(sum_of(profile).live.blocks == 0U);
  BOOST_TEST(sum_of(profile).allocated.bytes == weight.bytes);
}

BOOST_AUTO_TEST_CASE(sizes_are_counted_as_stacks_are) {
  static_assert(SizeCounts::bucket_of(0) == 0);
  static_assert(SizeCounts::bucket_of(SIZE_MAX) == SizeCounts::kBuckets - 1);
  const auto sum_at = [&](size_t size) { return profile.sizes().sum(SizeCounts::bucket_of(size)); };
  BOOST_REQUIRE(profile.start(1, 1));  // each request stands for itself
  const uint32_t number = profile.note_allocation(nullptr, 5000, 5000);
  BOOST_TEST(sum_at(5000).live.bytes == 5000U);
  BOOST_REQUIRE(profile.note_resize(nullptr, number, 20'000));
  BOOST_TEST(sum_at(5000).live.bytes == 0U);
  BOOST_TEST(sum_at(5000).allocated.bytes == 5000U);
  BOOST_TEST(sum_at(20'000).live.bytes == 20'000U);
  profile.note_free(nullptr, number);
  BOOST_TEST(sum_at(20'000).live.blocks == 0U);
  BOOST_TEST(sum_at(20'000).allocated.bytes == 20'000U);
}

BOOST_AUTO_TEST_CASE(stops_and_starts_keep_what_there_is) {
  BOOST_REQUIRE(profile.start(4096, 1));
  const uint32_t number = profile.note_allocation(nullptr, 1000, 1000);
  const uint64_t bytes = sum_of(profile).live.bytes;
  const uint32_t epoch = profile.epoch();
  profile.stop();
  BOOST_TEST(!profile.is_on());
  BOOST_TEST(profile.exists());
  BOOST_REQUIRE(profile.start(uint64_t{1} << 20, 2));
  BOOST_TEST(profile.epoch() != epoch);
  BOOST_TEST(sum_of(profile).live.bytes == bytes);
  profile.note_free(nullptr, number);  // as it was counted, whatever the rate is now
  BOOST_TEST(sum_of(profile).live.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(numbers_are_used_again) {
  BOOST_REQUIRE(profile.start(4096, 1));
  for (int i = 0; i < 1000; ++i) {
    const uint32_t number = profile.note_allocation(nullptr, 100, 100);
    BOOST_REQUIRE(number != 0U);
    BOOST_REQUIRE(number <= 2U);
    profile.note_free(nullptr, number);
  }
}

BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_is_counted) {
  os::faulty::fail(os::faulty::Call::kReserve, 0, 1);
  BOOST_TEST(!profile.start(4096, 1));
  BOOST_TEST(!profile.exists());
  BOOST_REQUIRE(profile.start(4096, 1));  // the next time
  os::faulty::fail(os::faulty::Call::kCommit, 0, 1);
  BOOST_TEST(profile.note_allocation(nullptr, 100, 100) == 0U);
  BOOST_TEST(profile.dropped() == 1U);
  BOOST_TEST(profile.taken() == 0U);
  BOOST_TEST(profile.note_allocation(nullptr, 100, 100) != 0U);
  os::faulty::reset();
}

BOOST_AUTO_TEST_CASE(no_commit_no_profile) {
  os::faulty::fail(os::faulty::Call::kCommit, 0, 1);
  BOOST_TEST(!profile.start(4096, 1));
  BOOST_TEST(os::faulty::reserved_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_child_goes_on_with_its_parents) {
  BOOST_REQUIRE(profile.start(4096, 1));
  const uint32_t number = profile.note_allocation(nullptr, 100, 100);
  BOOST_TEST(spillway::testing::holds_in_child([&] {
    profile.recover_after_fork();
    profile.note_free(nullptr, number);
    const bool is_gone = sum_of(profile).live.bytes == 0;
    return is_gone && profile.note_allocation(nullptr, 100, 100) != 0 && profile.live() == 1;
  }));
  BOOST_TEST(profile.live() == 1U);
}

BOOST_AUTO_TEST_CASE(threads_share_it) {
  constexpr size_t kThreads = 4;
  constexpr size_t kSamples = 2000;
  BOOST_REQUIRE(profile.start(4096, 1));
  std::vector<uint32_t> kept(kThreads * kSamples);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (size_t sample = 0; sample < kSamples; ++sample) {
        uint32_t& mine = kept[i * kSamples + sample];
        mine = profile.note_allocation(&mine, 100, 100);
        if (sample % 2 == 1) {
          profile.note_free(&mine, mine);
          mine = 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(profile.taken() == kThreads * kSamples);
  BOOST_TEST(profile.live() == kThreads * kSamples / 2);
  BOOST_TEST(sum_of(profile).live.bytes ==
             profile.sampler().weight(100, 100).bytes * kThreads * kSamples / 2);
  BOOST_TEST(stacks_of(profile) < 10U);
  for (const uint32_t number : kept) {
    if (number != 0) {
      profile.note_free(nullptr, number);
    }
  }
  BOOST_TEST(sum_of(profile).live.bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile
