// SPDX-License-Identifier: MIT
#include <sched.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>

#include "alloc/os/os.h"

namespace spillway::os {
namespace {

BOOST_AUTO_TEST_SUITE(linux_process)

BOOST_AUTO_TEST_CASE(random_bits_differ) { BOOST_TEST(random_bits() != random_bits()); }

BOOST_AUTO_TEST_CASE(this_process) {
  BOOST_TEST(process_id() == static_cast<uint32_t>(getpid()));
  BOOST_TEST(!is_privileged());
  BOOST_TEST((environment() == environ));
}

BOOST_AUTO_TEST_CASE(processors_are_those_that_the_process_may_use) {
  cpu_set_t allowed;
  BOOST_REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  BOOST_TEST(processors() == static_cast<uint32_t>(CPU_COUNT(&allowed)));
}

BOOST_AUTO_TEST_CASE(the_program_has_a_name) {
  BOOST_TEST(program_name() == "test_os");
  BOOST_TEST(std::string_view(program_invocation_short_name) == program_name());
}

BOOST_AUTO_TEST_CASE(the_wall_clock_is_the_c_librarys) {
  const auto before = static_cast<uint64_t>(time(nullptr));
  const uint64_t now = wall_clock_ns() / 1'000'000'000;
  const auto after = static_cast<uint64_t>(time(nullptr));
  // time() may be a tick of the kernel's behind.
  BOOST_TEST(now >= before);
  BOOST_TEST(now <= after + 1);
}

BOOST_AUTO_TEST_CASE(the_peak_is_at_least_what_was_touched) {
  constexpr size_t kBytes = size_t{32} << 20;
  const std::string touched(kBytes, 'x');
  BOOST_TEST(peak_resident_bytes() >= touched.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os
