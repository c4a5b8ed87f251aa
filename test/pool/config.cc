// SPDX-License-Identifier: MIT
#include "spillway/pool_config.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "alloc/base/bits.h"
#include "spillway/pool.h"

namespace spillway {
namespace {

using Sizes = std::vector<size_t>;

std::string complaint(const PoolConfig& config) { return config.check().value_or("none"); }

// Sizes that multiples of 64 can have, from 64 on.
Sizes many_sizes(size_t count) {
  Sizes sizes;
  for (size_t i = 1; i <= count; ++i) {
    sizes.push_back(64 * i);
  }
  return sizes;
}

size_t automatic_cache(size_t max_per_class, size_t parallelism) {
  return PoolConfig()
      .with_max_per_class(max_per_class)
      .with_parallelism(parallelism)
      .thread_cache_buffers();
}

BOOST_AUTO_TEST_SUITE(pool_config)

BOOST_AUTO_TEST_CASE(c1_the_default_is_valid_and_has_nine_classes) {
  const PoolConfig config;
  BOOST_TEST(complaint(config) == "none");
  BOOST_TEST(
      config.sizes() == Sizes({4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576}),
      boost::test_tools::per_element());
  BOOST_TEST(config.tenant_soft_limit == 268435456U);
}

BOOST_AUTO_TEST_CASE(c1_sizes_are_powers_of_two) {
  BOOST_TEST(complaint(PoolConfig().with_sizes(5000, 8192)) ==
             "min_size 5000 is not a power of two");
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 9000)) ==
             "max_size 9000 is not a power of two");
  BOOST_TEST(complaint(PoolConfig().with_sizes(0, 4096)) == "min_size 0 is not a power of two");
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 0)) == "max_size 0 is not a power of two");
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, SIZE_MAX)) ==
             "max_size 18446744073709551615 is not a power of two");
}

BOOST_AUTO_TEST_CASE(c1_min_size_is_at_least_alignment) {
  const PoolConfig config = PoolConfig().with_alignment(4096);
  BOOST_TEST(complaint(config.with_sizes(1024, 8192)) ==
             "min_size 1024 is less than alignment 4096");
  BOOST_TEST(complaint(config.with_sizes(4096, 8192)) == "none");
}

BOOST_AUTO_TEST_CASE(c1_max_size_is_at_least_min_size) {
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 1024)) ==
             "max_size 1024 is less than min_size 4096");
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 4096)) == "none");
}

BOOST_AUTO_TEST_CASE(c1_alignment_is_a_power_of_two_up_to_2_mib) {
  const PoolConfig config = PoolConfig().with_sizes(8 * kMiB, 8 * kMiB);
  BOOST_TEST(complaint(config.with_alignment(0)) == "alignment 0 is not a power of two");
  BOOST_TEST(complaint(config.with_alignment(48)) == "alignment 48 is not a power of two");
  BOOST_TEST(complaint(config.with_alignment(4 * kMiB)) ==
             "alignment 4194304 is more than 2097152");
  BOOST_TEST(complaint(config.with_alignment(2 * kMiB)) == "none");
  BOOST_TEST(complaint(config.with_alignment(1)) == "none");
  BOOST_TEST(complaint(PoolConfig().with_classes({4096}).with_alignment(0)) ==
             "alignment 0 is not a power of two");
}

BOOST_AUTO_TEST_CASE(c1_pool_min_size_is_at_most_the_smallest_class) {
  BOOST_TEST(complaint(PoolConfig().with_pool_min_size(4097)) ==
             "pool_min_size 4097 is more than the smallest class 4096");
  BOOST_TEST(complaint(PoolConfig().with_pool_min_size(4096)) == "none");
  BOOST_TEST(complaint(PoolConfig().with_classes({1024, 8192}).with_pool_min_size(4096)) ==
             "pool_min_size 4096 is more than the smallest class 1024");
}

BOOST_AUTO_TEST_CASE(c1_an_exact_cache_is_at_most_max_per_class) {
  const PoolConfig config = PoolConfig().with_max_per_class(8);
  BOOST_TEST(complaint(config.with_thread_cache(ThreadCachePolicy::exact(9))) ==
             "thread cache 9 is more than max_per_class 8");
  BOOST_TEST(complaint(config.with_thread_cache(ThreadCachePolicy::exact(8))) == "none");
  PoolConfig unused = config;
  unused.thread_cache = {ThreadCachePolicy::Kind::kDisabled, 9};
  BOOST_TEST(complaint(unused) == "none");
}

BOOST_AUTO_TEST_CASE(c1_counts_are_at_least_one) {
  BOOST_TEST(complaint(PoolConfig().with_max_per_class(0)) == "max_per_class 0 is less than 1");
  BOOST_TEST(complaint(PoolConfig().with_parallelism(0)) == "parallelism 0 is less than 1");
  BOOST_TEST(complaint(PoolConfig().with_max_per_class(1).with_parallelism(1)) == "none");
}

BOOST_AUTO_TEST_CASE(c1_class_sizes_ascend_by_multiples_of_alignment) {
  const PoolConfig config = PoolConfig().with_alignment(64);
  BOOST_TEST(complaint(config.with_classes({64, 192, 320})) == "none");
  BOOST_TEST(complaint(config.with_classes({4096, 8192, 6144})) ==
             "class_sizes do not ascend: 6144 follows 8192");
  BOOST_TEST(complaint(config.with_classes({4096, 4096})) ==
             "class_sizes do not ascend: 4096 follows 4096");
  BOOST_TEST(complaint(config.with_classes({4096, 5000})) ==
             "class size 5000 is no multiple of alignment 64");
  BOOST_TEST(complaint(config.with_classes({0, 4096})) == "smallest class 0 is less than 1");
}

BOOST_AUTO_TEST_CASE(c1_at_most_63_classes) {
  BOOST_TEST(complaint(PoolConfig().with_classes(many_sizes(63))) == "none");
  BOOST_TEST(complaint(PoolConfig().with_classes(many_sizes(64))) ==
             "number of classes 64 is more than 63");
}

BOOST_AUTO_TEST_CASE(c1_the_largest_class_has_a_bound) {
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 2 * kGiB)) ==
             "largest class 2147483648 is more than 1073741824");
  BOOST_TEST(complaint(PoolConfig().with_classes({SIZE_MAX - 63})) ==
             "largest class 18446744073709551552 is more than 1073741824");
}

BOOST_AUTO_TEST_CASE(c1_the_largest_class_is_less_than_65536_units) {
  BOOST_TEST(complaint(PoolConfig().with_sizes(64, 4 * kMiB)) ==
             "largest class 4194304 is not less than 65536 units of 64");
  BOOST_TEST(complaint(PoolConfig().with_sizes(64, 2 * kMiB)) == "none");
  BOOST_TEST(complaint(PoolConfig().with_sizes(4096, 256 * kMiB)) ==
             "largest class 268435456 is not less than 65536 units of 4096");
  BOOST_TEST(complaint(PoolConfig().with_classes({256 * kMiB - 4096})) == "none");
  BOOST_TEST(complaint(PoolConfig().with_alignment(1).with_classes({6, 65535 * 2})) == "none");
  BOOST_TEST(complaint(PoolConfig().with_alignment(1).with_classes({6, 65536 * 2})) ==
             "largest class 131072 is not less than 65536 units of 2");
}

BOOST_AUTO_TEST_CASE(c1_class_names_are_as_many_as_classes_and_different) {
  const PoolConfig config = PoolConfig().with_sizes(4096, 8192);
  const auto named = [&config](std::vector<std::string> names) {
    PoolConfig changed = config;
    changed.class_names = std::move(names);
    return complaint(changed);
  };
  BOOST_TEST(named({}) == "none");
  BOOST_TEST(named({"a", "b"}) == "none");
  BOOST_TEST(named({"a"}) == "number of class_names 1 is not the number of classes 2");
  BOOST_TEST(named({"a", "b", "c"}) == "number of class_names 3 is not the number of classes 2");
  BOOST_TEST(named({"a", "a"}) == "classes 0 and 1 have the same name \"a\"");
  BOOST_TEST(named({"x\ny", "x\ny"}) == "classes 0 and 1 have the same name \"x?y\"");
}

BOOST_AUTO_TEST_CASE(c1_there_are_addresses_for_all_buffers) {
  const PoolConfig config = PoolConfig().with_sizes(kMiB, kMiB);
  BOOST_TEST(complaint(config.with_max_per_class((size_t{64} << 20) + 1)) ==
             "max_per_class 67108865 times the largest class, 1048576 bytes, is more than 64 TiB");
  BOOST_TEST(complaint(config.with_max_per_class(size_t{8} << 20)) == "none");
  BOOST_TEST(complaint(config.with_max_per_class((size_t{8} << 20) + 1)) ==
             "max_per_class 8388609 is too much for a smallest unit of 4096 bytes");
  BOOST_TEST(complaint(config.with_sizes(kMiB / 2, kMiB).with_max_per_class(size_t{8} << 20)) ==
             "max_per_class 8388608 is too much for a smallest unit of 4096 bytes");
}

BOOST_AUTO_TEST_CASE(c1_with_class_sizes_the_range_is_ignored) {
  PoolConfig config = PoolConfig().with_sizes(3, 1).with_classes({1024, 3072});
  BOOST_TEST(complaint(config) == "none");
  BOOST_TEST(config.sizes() == Sizes({1024, 3072}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(c1_sizes_of_a_range_that_gives_none) {
  BOOST_TEST(PoolConfig().with_sizes(0, 4096).sizes().empty());
  BOOST_TEST(PoolConfig().with_sizes(8192, 4096).sizes().empty());
  BOOST_TEST(PoolConfig().with_sizes(1, size_t{1} << 63).sizes().size() == 64U);
}

BOOST_AUTO_TEST_CASE(c1_each_with_changes_a_copy) {
  const PoolConfig before;
  const PoolConfig after = before.with_sizes(1024, 2048)
                               .with_pool_min_size(512)
                               .with_max_per_class(7)
                               .with_prefill()
                               .with_alignment(128)
                               .with_parallelism(3)
                               .with_thread_cache(ThreadCachePolicy::exact(5))
                               .with_tenant_soft_limit(99)
                               .with_pinned();
  BOOST_TEST(after.min_size == 1024U);
  BOOST_TEST(after.max_size == 2048U);
  BOOST_TEST(after.pool_min_size == 512U);
  BOOST_TEST(after.max_per_class == 7U);
  BOOST_TEST(after.prefill);
  BOOST_TEST(after.alignment == 128U);
  BOOST_TEST(after.parallelism == 3U);
  BOOST_TEST(after.thread_cache_buffers() == 5U);
  BOOST_TEST(after.tenant_soft_limit == 99U);
  BOOST_TEST(after.pinned);
  BOOST_TEST(complaint(after) == "none");
  BOOST_TEST(!after.with_prefill(false).prefill);
  BOOST_TEST(!after.with_pinned(false).pinned);
  BOOST_TEST(before.min_size == 4096U);
  BOOST_TEST(!before.prefill);
}

BOOST_AUTO_TEST_CASE(c1_the_last_choice_of_classes_counts) {
  const PoolConfig config = PoolConfig::tiered().with_sizes(4096, 8192);
  BOOST_TEST(complaint(config) == "none");
  BOOST_TEST(config.sizes() == Sizes({4096, 8192}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(c1_create_says_what_is_wrong) {
  const auto pool = Pool::create(PoolConfig().with_sizes(4096, 1024));
  BOOST_REQUIRE(!pool.has_value());
  BOOST_TEST(pool.error() == "max_size 1024 is less than min_size 4096");
}

BOOST_AUTO_TEST_CASE(c1_create_names_a_number_of_buffers_that_no_system_has) {
  for (const size_t max : {SIZE_MAX, SIZE_MAX / 4096}) {
    for (const ThreadCachePolicy cache :
         {ThreadCachePolicy::disabled(), ThreadCachePolicy::automatic(),
          ThreadCachePolicy::exact(max)}) {
      const PoolConfig config = PoolConfig().with_max_per_class(max).with_thread_cache(cache);
      for (const PoolConfig& each : {config, config.with_prefill(), config.with_sizes(64, 64)}) {
        const auto pool = Pool::create(each);
        BOOST_REQUIRE(!pool.has_value());
        BOOST_TEST(pool.error().find(std::to_string(max)) != std::string::npos, pool.error());
        BOOST_TEST(pool.error().find('\n') == std::string::npos);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c2_network) {
  const PoolConfig config = PoolConfig::network();
  BOOST_TEST(complaint(config) == "none");
  BOOST_TEST(config.sizes() == Sizes({1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072}),
             boost::test_tools::per_element());
  BOOST_TEST(config.max_per_class == 4096U);
  BOOST_TEST(config.pool_min_size == 0U);
  BOOST_TEST(!config.prefill);
}

BOOST_AUTO_TEST_CASE(c2_storage) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const PoolConfig config = PoolConfig::storage();
  BOOST_TEST(complaint(config) == "none");
  BOOST_TEST(config.sizes().front() == page);
  BOOST_TEST(config.sizes().back() == 8 * kMiB);
  BOOST_TEST(config.max_per_class == 64U);
  BOOST_TEST(config.alignment == page);
  BOOST_TEST(config.pool_min_size == 0U);
  BOOST_TEST(!config.prefill);
}

BOOST_AUTO_TEST_CASE(c2_the_other_presets) {
  const PoolConfig pages = PoolConfig::page_buffers(5);
  BOOST_TEST(complaint(pages) == "none");
  BOOST_TEST(pages.sizes().size() == 9U);
  BOOST_TEST(pages.max_per_class == 5U);
  const PoolConfig tiered = PoolConfig::tiered();
  BOOST_TEST(complaint(tiered) == "none");
  BOOST_TEST(tiered.sizes() == Sizes({4096, 65536, 1048576, 10485760}),
             boost::test_tools::per_element());
  BOOST_TEST(tiered.class_names == std::vector<std::string>({"small", "medium", "large", "huge"}),
             boost::test_tools::per_element());
  BOOST_TEST(tiered.max_per_class == 64U);
}

BOOST_AUTO_TEST_CASE(c3_a_budget_is_divided_by_the_sum_of_sizes_and_rounded_up) {
  const PoolConfig config = PoolConfig().with_sizes(4096, 16384);  // 28672 together
  BOOST_TEST(config.with_budget(28672 * 10).max_per_class == 10U);
  BOOST_TEST(config.with_budget(28672 * 10 + 1).max_per_class == 11U);
  BOOST_TEST(config.with_budget(28672 * 10 - 1).max_per_class == 10U);
  BOOST_TEST(config.with_budget(28671).max_per_class == 1U);
  BOOST_TEST(config.with_budget(0).max_per_class == 1U);
  BOOST_TEST(PoolConfig().with_classes({4096, 12288}).with_budget(16384 * 3).max_per_class == 3U);
}

BOOST_AUTO_TEST_CASE(c3_budgets_do_not_overflow) {
  BOOST_TEST(PoolConfig().with_sizes(4096, 4096).with_budget(UINT64_MAX).max_per_class ==
             size_t{1} << 52);
  BOOST_TEST(
      PoolConfig().with_classes({SIZE_MAX - 1, SIZE_MAX}).with_budget(UINT64_MAX).max_per_class ==
      1U);
  BOOST_TEST(PoolConfig()
                 .with_classes({size_t{1} << 62, size_t{3} << 62})
                 .with_budget(1000)
                 .max_per_class == 1U);
}

BOOST_AUTO_TEST_CASE(c3_without_classes_a_budget_changes_nothing) {
  const PoolConfig config = PoolConfig().with_sizes(8192, 4096).with_max_per_class(9);
  BOOST_TEST(config.with_budget(1 << 20).max_per_class == 9U);
  BOOST_TEST(complaint(config.with_budget(1 << 20)) == "max_size 4096 is less than min_size 8192");
}

BOOST_AUTO_TEST_CASE(c4_an_automatic_cache_is_half_the_class_over_the_threads) {
  BOOST_TEST(automatic_cache(4096, 8) == 256U);
  BOOST_TEST(automatic_cache(64, 8) == 4U);
  BOOST_TEST(automatic_cache(64, 1) == 32U);
  BOOST_TEST(automatic_cache(63, 2) == 15U);
  BOOST_TEST(automatic_cache(47, 8) == 2U);
}

BOOST_AUTO_TEST_CASE(c4_where_that_is_nothing_there_is_no_cache) {
  BOOST_TEST(automatic_cache(15, 8) == 0U);
  BOOST_TEST(automatic_cache(16, 8) == 1U);
  BOOST_TEST(automatic_cache(4, 8) == 0U);  // of four threads: 4 / 8
  BOOST_TEST(automatic_cache(1, 1) == 0U);
  BOOST_TEST(automatic_cache(2, 1) == 1U);
  BOOST_TEST(automatic_cache(64, SIZE_MAX) == 0U);
  BOOST_TEST(automatic_cache(SIZE_MAX, SIZE_MAX) == 0U);
  BOOST_TEST(automatic_cache(SIZE_MAX, 1) == SIZE_MAX / 2);
  BOOST_TEST(automatic_cache(0, 8) == 0U);
  BOOST_TEST(automatic_cache(64, 0) == 0U);
}

BOOST_AUTO_TEST_CASE(c4_exact_and_disabled_are_taken_as_they_are) {
  const PoolConfig config = PoolConfig().with_max_per_class(64);
  BOOST_TEST(config.with_thread_cache(ThreadCachePolicy::exact(17)).thread_cache_buffers() == 17U);
  BOOST_TEST(config.with_thread_cache(ThreadCachePolicy::exact(0)).thread_cache_buffers() == 0U);
  BOOST_TEST(config.with_thread_cache(ThreadCachePolicy::disabled()).thread_cache_buffers() == 0U);
  BOOST_TEST(config.with_thread_cache(ThreadCachePolicy::automatic()).thread_cache_buffers() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
