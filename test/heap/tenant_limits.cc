// SPDX-License-Identifier: MIT
// Limits of tenants as text. The option's messages are in test/preload/tenant_options.py.
#include "alloc/heap/tenant_limits.h"

#include <string>

#include "alloc/heap/control_commands.h"
#include "alloc/heap/tenants.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

uint64_t limit_of(const char* name) {
  stats::TenantSnapshot usage;
  BOOST_REQUIRE(read_tenant(create_tenant(name, kNoLimit), usage));
  return usage.soft_limit_bytes;
}

BOOST_FIXTURE_TEST_SUITE(heap_tenant_limits, HeapFixture)

BOOST_AUTO_TEST_CASE(a_limit_is_set_and_taken_away) {
  BOOST_TEST((set_tenant_limit_as("text/1=64M") == LimitText::kDone));
  BOOST_TEST(limit_of("text/1") == 64 * kMiB);
  BOOST_TEST((set_tenant_limit_as("text/1=5000") == LimitText::kDone));
  BOOST_TEST(limit_of("text/1") == 5000U);
  BOOST_TEST((set_tenant_limit_as("text/1=none") == LimitText::kDone));
  BOOST_TEST(limit_of("text/1") == 0U);
}

BOOST_AUTO_TEST_CASE(wrong_text_changes_nothing) {
  const int before = last_tenant();
  for (const std::string text :
       {"", "=", "a", "a=", "=1M", "a=0", "a=1M=", "a b=1M", "a=-1", "a=x"}) {
    BOOST_TEST((set_tenant_limit_as(text) == LimitText::kWrong), text);
  }
  BOOST_TEST((set_tenant_limit_as(std::string(48, 'x') + "=1M") == LimitText::kWrong));
  BOOST_TEST(last_tenant() == before);
}

BOOST_AUTO_TEST_CASE(the_tools_command_sets_one) {
  control::Reply reply;
  Line<500> error;
  BOOST_TEST(run_command("tenant by/tool=5M", reply, error));
  BOOST_TEST(reply.view() == "soft limit: by/tool=5M\n");
  BOOST_TEST(limit_of("by/tool") == 5 * kMiB);
  BOOST_TEST(!run_command("tenant by/tool", reply, error));
  BOOST_TEST(error.view() == "tenant: 'by/tool' is not NAME=SIZE, as cache=64M");
  BOOST_TEST(limit_of("by/tool") == 5 * kMiB);
  reply.release();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
