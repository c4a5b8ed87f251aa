#include <sched.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os
