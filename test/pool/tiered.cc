// SPDX-License-Identifier: MIT
// A pool of four classes.
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "test/pool/fixture.h"
#include "test/pool/tiered.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(tiered)

BOOST_FIXTURE_TEST_CASE(b1_four_classes_with_names, Tiered) {
  const std::vector<PoolClassStatistics> classes = pool.statistics().classes;
  const std::pair<std::string, uint64_t> cases[] = {
      {"small", kSmall}, {"medium", kMedium}, {"large", kLarge}, {"huge", kHuge}};
  BOOST_REQUIRE(classes.size() == 4U);
  for (size_t i = 0; i < classes.size(); ++i) {
    BOOST_TEST(classes[i].name == cases[i].first);
    BOOST_TEST(classes[i].size == cases[i].second);
  }
}

BOOST_FIXTURE_TEST_CASE(b1_requests_at_the_bounds_of_classes, Tiered) {
  const std::pair<size_t, size_t> cases[] = {
      {1, kSmall},           {kSmall, kSmall}, {kSmall + 1, kMedium}, {kMedium, kMedium},
      {kMedium + 1, kLarge}, {kLarge, kLarge}, {kLarge + 1, kHuge},   {kHuge, kHuge}};
  for (const auto& [asked, expected] : cases) {
    const Buffer buffer = pool.alloc(asked);
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.capacity() == expected);
  }
  const Buffer oversize = pool.alloc(kHuge + 1);
  BOOST_TEST(!oversize.is_pooled());
  BOOST_TEST(oversize.capacity() == kHuge + 1);
}

BOOST_FIXTURE_TEST_CASE(b2_a_buffer_comes_empty_with_its_class_capacity, Tiered) {
  for (int round = 0; round < 2; ++round) {  // fresh, then reused
    Buffer buffer = pool.alloc(8 * kKiB);
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == kMedium);
    BOOST_TEST(buffer.append("used"));
  }
  BOOST_TEST(class_named("medium").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b2_appending_within_the_capacity_does_not_move, Tiered) {
  Buffer buffer = pool.alloc(1);
  const std::byte* const data = buffer.data();
  const std::string piece(100, 'p');
  std::string expected;
  while (expected.size() + piece.size() <= kSmall) {
    BOOST_REQUIRE(buffer.append(piece));
    BOOST_REQUIRE(buffer.data() == data);
    expected += piece;
  }
  const std::string rest(kSmall - expected.size(), 'r');
  BOOST_TEST(buffer.append(rest));
  BOOST_TEST(buffer.data() == data);
  BOOST_TEST(buffer.view() == expected + rest);
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(buffer.data() == data);
  BOOST_TEST(buffer.view() == expected + rest);
}

BOOST_FIXTURE_TEST_CASE(b2_what_is_too_long_is_not_appended_in_part, Tiered) {
  Buffer buffer = pool.alloc(1);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(!buffer.append(std::string(kSmall - 2, 'x')));
  BOOST_TEST(buffer.view() == "abc");
}

BOOST_FIXTURE_TEST_CASE(b2_a_buffer_may_be_appended_to_itself, Tiered) {
  Buffer buffer = pool.alloc(1);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.append(buffer.view()));
  BOOST_TEST(buffer.append(buffer.view().substr(1, 2)));
  BOOST_TEST(buffer.view() == "abcabcbc");
}

BOOST_FIXTURE_TEST_CASE(b3_given_back_by_release, Tiered) {
  Buffer buffer = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").live == 1U);
  buffer.release();
  BOOST_TEST(class_named("small").live == 0U);
  BOOST_TEST(!buffer);
  BOOST_TEST(buffer.capacity() == 0U);
  buffer.release();
  BOOST_TEST(class_named("small").live == 0U);
  const Buffer again = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b3_given_back_by_the_destructor, Tiered) {
  { const Buffer buffer = pool.alloc(kSmall); }
  BOOST_TEST(class_named("small").live == 0U);
  const Buffer again = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b4_at_most_64_of_each_class, Tiered) {
  for (const size_t size : {kSmall, kMedium, kLarge, kHuge}) {
    const std::vector<Buffer> buffers = alloc_many(70, size);
    BOOST_TEST(count_pooled(buffers) == 64U);
  }
  for (const PoolClassStatistics& one : pool.statistics().classes) {
    BOOST_TEST(one.live == 0U);
    BOOST_TEST(one.cached + one.free == 64U);
  }
}

BOOST_FIXTURE_TEST_CASE(b5_hits_and_misses_of_each_class, Tiered) {
  pool.alloc(kSmall).release();
  pool.alloc(1).release();
  pool.alloc(100).release();
  pool.alloc(kMedium).release();
  BOOST_TEST(class_named("small").hits == 2U);
  BOOST_TEST(class_named("small").misses() == 1U);
  BOOST_TEST(class_named("small").allocations == 3U);
  BOOST_TEST(class_named("medium").hits == 0U);
  BOOST_TEST(class_named("medium").misses() == 1U);
  BOOST_TEST(class_named("large").misses() == 0U);
  BOOST_TEST(pool.statistics().oversized == 0U);
}

BOOST_FIXTURE_TEST_CASE(b5_exhausted_ones_are_misses_too, Tiered) {
  const std::vector<Buffer> buffers = alloc_many(67, kSmall);
  BOOST_TEST(class_named("small").created == 64U);
  BOOST_TEST(class_named("small").exhausted == 3U);
  BOOST_TEST(class_named("small").misses() == 67U);
}

BOOST_FIXTURE_TEST_CASE(b5_oversize_total, Tiered) {
  pool.alloc(kHuge + 1).release();
  pool.alloc(5 * kHuge).release();
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.oversized == 2U);
  BOOST_TEST(statistics.misses == 2U);
  for (const PoolClassStatistics& one : statistics.classes) {
    BOOST_TEST(one.misses() == 0U);
    BOOST_TEST(one.hits == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(b9_one_snapshot_has_it_all, Tiered) {
  pool.set_tenant_soft_limit("alpha", kSmall);
  const std::vector<Buffer> held = alloc_many(3, kSmall, pool.tenant("alpha"));
  pool.alloc(kSmall).release();
  pool.alloc(kSmall).release();
  pool.alloc(kHuge + 1).release();
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 6U);
  BOOST_TEST(statistics.recycles == 1U);
  BOOST_TEST(statistics.misses == 5U);
  BOOST_TEST(statistics.oversized == 1U);
  BOOST_TEST(statistics.unpooled == 1U);
  BOOST_TEST(statistics.live_bytes == 3 * kSmall);
  BOOST_REQUIRE(statistics.classes.size() == 4U);
  const PoolClassStatistics& small = statistics.classes[0];
  BOOST_TEST(small.allocations == 5U);
  BOOST_TEST(small.created == 4U);
  BOOST_TEST(small.hits == 1U);
  BOOST_TEST(small.exhausted == 0U);
  BOOST_TEST(small.live == 3U);
  BOOST_REQUIRE(statistics.tenants.size() == 1U);
  BOOST_TEST(statistics.tenants[0].name == "alpha");
  BOOST_TEST(statistics.tenants[0].live_bytes == 3 * kSmall);
  BOOST_TEST(statistics.tenants[0].soft_limit_bytes == kSmall);
  BOOST_TEST(statistics.tenants[0].soft_limit_exceeded_total == 2U);
}

BOOST_FIXTURE_TEST_CASE(b9_prometheus, Tiered) {
  pool.set_tenant_soft_limit("alpha", kSmall);
  const std::vector<Buffer> held = alloc_many(3, kSmall, pool.tenant("alpha"));
  const Buffer other = pool.alloc(kMedium, pool.tenant("a \"b\"\\"));
  pool.alloc(kHuge + 1).release();
  const std::string text = pool.statistics().prometheus();
  for (const char* line :
       {"spillway_pool_soft_limit_exceeded_total{tenant_id=\"alpha\"} 2",
        "spillway_pool_soft_limit_exceeded_total{tenant_id=\"a \\\"b\\\"\\\\\"} 0",
        "spillway_pool_tenant_live_bytes{tenant_id=\"alpha\"} 12288",
        "spillway_pool_tenant_live_bytes{tenant_id=\"a \\\"b\\\"\\\\\"} 65536",
        "spillway_pool_class_live{class=\"small\"} 3",
        "spillway_pool_class_misses_total{class=\"medium\"} 1",
        "spillway_pool_class_misses_total{class=\"huge\"} 0", "spillway_pool_oversized_total 1",
        "spillway_pool_allocations_total 5"}) {
    BOOST_TEST(has_line(text, line), line);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
