// SPDX-License-Identifier: MIT
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"
#include "test/forked_child.h"

namespace spillway::os {
namespace {

BOOST_AUTO_TEST_SUITE(linux_memory)

BOOST_AUTO_TEST_CASE(a_reservation_is_committed_in_parts) {
  const size_t page = page_size();
  auto* start = static_cast<char*>(reserve(16 * page, Access::kNone, nullptr));
  BOOST_REQUIRE(start != nullptr);
  BOOST_REQUIRE(commit(start + page, 2 * page));
  BOOST_REQUIRE(commit(start + page, 2 * page));
  BOOST_TEST(start[page] == 0);
  std::memset(start + page, 1, 2 * page);
  release(start, 16 * page);
}

BOOST_AUTO_TEST_CASE(readable_memory_is_zero) {
  const size_t page = page_size();
  auto* start = static_cast<char*>(reserve(4 * page, Access::kRead, nullptr));
  BOOST_REQUIRE(start != nullptr);
  BOOST_TEST(start[3 * page] == 0);
  release(start, 4 * page);
}

BOOST_AUTO_TEST_CASE(refusals_leave_errno_alone) {
  errno = 0;
  BOOST_TEST(reserve(size_t{1} << 62, Access::kNone, nullptr) == nullptr);
  BOOST_TEST(!commit(reinterpret_cast<void*>(page_size()), page_size()));
  BOOST_TEST(errno == 0);
}

BOOST_AUTO_TEST_CASE(the_machine_has_memory) { BOOST_TEST(physical_memory() > 64U << 20); }

BOOST_AUTO_TEST_CASE(a_limit_on_address_space_is_seen) {
  BOOST_TEST(address_space_left() == UINT64_MAX);
  const pid_t child = fork();
  if (child == 0) {
    constexpr rlim_t kPlenty = rlim_t{1} << 62;  // also for what sanitizers map
    const rlimit limit = {kPlenty, kPlenty};
    const bool set = setrlimit(RLIMIT_AS, &limit) == 0;
    const uint64_t left = address_space_left();
    _exit(set && left < limit.rlim_cur && left > 0 ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(resident_pages_of_a_part_are_counted) {
  const size_t bytes = 4 * kMiB;
  auto* const memory = static_cast<char*>(reserve(bytes, Access::kReadWrite, nullptr));
  BOOST_REQUIRE(memory != nullptr);
  prefer_huge_pages(memory, bytes, false);
  BOOST_TEST(resident_bytes_in(memory, bytes) == 0U);
  for (size_t at = 0; at < 3 * kMiB; at += page_size()) {
    memory[at] = 1;
  }
  BOOST_TEST(resident_bytes_in(memory, bytes) == 3 * kMiB);
  BOOST_TEST(resident_bytes_in(memory + 2 * kMiB, 2 * kMiB) == kMiB);
  // One descriptor is enough; without any nothing is known.
  const auto count_with = [&](int descriptors) {
    const int lowest = dup(0);
    close(lowest);
    const rlimit limit = {static_cast<rlim_t>(lowest + descriptors),
                          static_cast<rlim_t>(lowest + descriptors)};
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return resident_bytes_in(memory, bytes);
  };
  BOOST_TEST(testing::holds_in_child([&] { return count_with(1) == 3 * kMiB; }));
  BOOST_TEST(testing::holds_in_child([&] { return count_with(0) == 0; }));
  release(memory, bytes);
  BOOST_TEST(resident_bytes_in(memory, bytes) == 0U);
}

BOOST_AUTO_TEST_CASE(reservations_are_counted) {
  const Mapped before = mapped();
  const size_t page = page_size();
  auto* const start = static_cast<char*>(reserve(8 * page, Access::kNone, nullptr));
  BOOST_REQUIRE(start != nullptr);
  BOOST_TEST(mapped().bytes == before.bytes + 8 * page);
  BOOST_TEST(mapped().mappings == before.mappings + 1);
  release_part(start + 4 * page, 4 * page);
  BOOST_TEST(mapped().bytes == before.bytes + 4 * page);
  BOOST_TEST(mapped().mappings == before.mappings + 1);
  release(start, 4 * page);
  BOOST_TEST(mapped().bytes == before.bytes);
  BOOST_TEST(mapped().mappings == before.mappings);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os
