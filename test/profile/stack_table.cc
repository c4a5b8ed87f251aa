// SPDX-License-Identifier: MIT
#include "alloc/profile/stack_table.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>
#include <vector>

#include "test/os/faulty_memory.h"

namespace spillway::profile {
namespace {

struct TableFixture {
  explicit TableFixture(size_t bytes = kMiB) : room_bytes(bytes) {
    os::faulty::reset();
    heads =
        static_cast<char*>(os::reserve(StackTable::kHeadsBytes, os::Access::kReadWrite, nullptr));
    room = static_cast<char*>(os::reserve(room_bytes, os::Access::kNone, nullptr));
    table.attach(heads, room, room_bytes);
  }
  ~TableFixture() {
    os::release(heads, StackTable::kHeadsBytes);
    os::release(room, room_bytes);
    os::faulty::reset();
  }
  TableFixture(const TableFixture&) = delete;
  TableFixture& operator=(const TableFixture&) = delete;

  uint32_t find(const std::vector<uintptr_t>& frames) {
    return table.find(frames.data(), frames.size());
  }
  size_t count() const {
    size_t count = 0;
    table.for_each([&](const Stack&) { ++count; });
    return count;
  }

  size_t room_bytes;
  char* heads;
  char* room;
  StackTable table;
};

BOOST_FIXTURE_TEST_SUITE(profile_stack_table, TableFixture)

BOOST_AUTO_TEST_CASE(a_stack_is_there_once) {
  const uint32_t first = find({1, 2, 3});
  BOOST_TEST(first != 0U);
  BOOST_TEST(find({1, 2, 3}) == first);
  std::set<uint32_t> numbers{first};
  for (const std::vector<uintptr_t>& other :
       {std::vector<uintptr_t>{1, 2}, {1, 2, 3, 4}, {3, 2, 1}, {1, 2, 4}, {}}) {
    BOOST_TEST(numbers.insert(find(other)).second);
  }
  BOOST_TEST(count() == numbers.size());
  BOOST_TEST(table.at(first).frame_count == 3U);
  BOOST_TEST(table.at(first).frames()[2] == 3U);
}

BOOST_AUTO_TEST_CASE(counts_are_sums_and_never_negative) {
  StackCounts& counts = table.at(find({7})).counts;
  counts.allocated({.blocks = 10, .bytes = 1000});
  counts.allocated({.blocks = 1, .bytes = 100});
  counts.freed({.blocks = 10, .bytes = 1000});
  BOOST_TEST(counts.sum().allocated.bytes == 1100U);
  BOOST_TEST(counts.sum().live.bytes == 100U);
  BOOST_TEST(counts.sum().live.blocks == 1U);
  counts.freed({.blocks = 10, .bytes = 1000});
  BOOST_TEST(counts.sum().live.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_table_says_so_and_keeps_what_it_has) {
  uint32_t last = 0;
  uintptr_t made = 0;
  for (uint32_t number = 1; number != 0; ++made) {
    last = number;
    number = find({made, made + 1, made + 2, made + 3});
  }
  BOOST_TEST(made > kMiB / 256);
  BOOST_TEST(count() == made - 1);
  BOOST_TEST(find({0, 1, 2, 3}) != 0U);
  BOOST_TEST(table.at(last).frame_count == 4U);
}

BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_is_no_stack) {
  os::faulty::fail(os::faulty::Call::kCommit, 0, 1);
  BOOST_TEST(find({1}) == 0U);
  BOOST_TEST(find({1}) != 0U);
}

BOOST_AUTO_TEST_CASE(threads_that_meet_at_a_stack_share_it) {
  constexpr size_t kThreads = 4;
  constexpr uintptr_t kStacks = 2000;
  std::vector<std::vector<uint32_t>> found(kThreads);
  std::vector<std::thread> threads;
  std::atomic<size_t> ready{0};
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready != kThreads) {
      }
      for (uintptr_t stack = 0; stack < kStacks; ++stack) {
        const uint32_t number = find({stack, 5});
        table.at(number).counts.allocated({.blocks = 1, .bytes = stack});
        found[i].push_back(number);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(count() == kStacks);
  for (const std::vector<uint32_t>& numbers : found) {
    BOOST_TEST((numbers == found[0]));
  }
  for (const uint32_t number : found[0]) {
    BOOST_TEST(table.at(number).counts.sum().allocated.blocks == kThreads);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile
