// SPDX-License-Identifier: MIT
// The C interface without memory: each call that allocates says so at whichever of its allocations
// it is refused, changes nothing, and throws nothing at C. And in C++, beside the C++ interface.
#include <array>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "spillway/pool.h"
#include "test/pool/counting_new.h"

namespace {

using spillway::pool::testing::RefusingNew;

// `call` with no allocation, one and so on, until it needs no more; how many it needs.
template <typename Call>
uint64_t count_refusals(Call call) {
  uint64_t successes = 0;
  for (;; ++successes) {
    spillway_pool_error error = SPILLWAY_POOL_OK;
    {
      const RefusingNew refusing(successes);
      error = call();
    }
    if (error == SPILLWAY_POOL_OK) {
      return successes;
    }
    BOOST_TEST(error == SPILLWAY_POOL_NO_MEMORY);
    BOOST_REQUIRE(successes < 1000U);
  }
}

spillway_pool_config small_config() {
  spillway_pool_config config;
  BOOST_REQUIRE(spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_TIERED) ==
                SPILLWAY_POOL_OK);
  config.class_count = 2;
  config.max_per_class = 2;
  config.pinned = 1;
  return config;
}

struct SmallPool {
  SmallPool() {
    const spillway_pool_config config = small_config();
    BOOST_REQUIRE(spillway_pool_create(&config, &pool, nullptr, 0) == SPILLWAY_POOL_OK);
  }
  ~SmallPool() { spillway_pool_destroy(pool); }
  SmallPool(const SmallPool&) = delete;
  SmallPool& operator=(const SmallPool&) = delete;

  spillway_pool* pool = nullptr;
};

size_t count_tenants(const spillway_pool* pool) {
  std::string text(spillway_pool_prometheus(pool, nullptr, 0) + 1, '\0');
  spillway_pool_prometheus(pool, text.data(), text.size());
  size_t count = 0;
  const std::string_view sample = "\nspillway_pool_tenant_live_bytes{";
  for (size_t at = text.find(sample); at != std::string::npos; at = text.find(sample, at + 1)) {
    ++count;
  }
  return count;
}

BOOST_AUTO_TEST_SUITE(pool_c_faults)

BOOST_AUTO_TEST_CASE(a_preset_needs_no_memory) {
  for (unsigned preset = SPILLWAY_POOL_DEFAULT; preset <= SPILLWAY_POOL_STORAGE; ++preset) {
    spillway_pool_config config;
    BOOST_TEST(count_refusals([&] {
                 return spillway_pool_config_init(&config, sizeof config,
                                                  static_cast<spillway_pool_preset>(preset));
               }) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(create) {
  spillway_pool_config config = small_config();
  config.prefill = 1;
  spillway_pool* pool = nullptr;
  std::array<char, 64> why{};
  const uint64_t refusals = count_refusals([&] {
    const spillway_pool_error error = spillway_pool_create(&config, &pool, why.data(), why.size());
    if (error != SPILLWAY_POOL_OK && (pool != nullptr || std::string(why.data()) != "no memory")) {
      return SPILLWAY_POOL_INVALID;
    }
    return error;
  });
  BOOST_TEST(refusals >= 4U);
  spillway_pool_destroy(pool);
}

BOOST_AUTO_TEST_CASE(budget) {
  spillway_pool_config config = small_config();
  const uint64_t refusals = count_refusals([&] {
    const spillway_pool_error error = spillway_pool_config_set_budget(&config, 0);
    return error != SPILLWAY_POOL_OK && config.max_per_class != 2 ? SPILLWAY_POOL_INVALID : error;
  });
  BOOST_TEST(refusals >= 1U);
  BOOST_TEST(config.max_per_class == 1U);
}

BOOST_FIXTURE_TEST_CASE(tenants_and_callbacks, SmallPool) {
  spillway_pool_tenant* tenant = nullptr;
  BOOST_TEST(count_refusals([&] {
               return spillway_pool_tenant_create(pool, "a name that is long for a string",
                                                  &tenant);
             }) >= 1U);
  BOOST_TEST(tenant != nullptr);
  BOOST_TEST(count_tenants(pool) == 1U);
  BOOST_TEST(count_refusals([&] {
               return spillway_pool_on_tenant_limit(
                   pool, [](const char*, uint64_t, uint64_t, void*) {}, nullptr);
             }) >= 1U);
  BOOST_TEST(count_refusals([&] {
               return spillway_pool_on_region(
                   pool, [](uint32_t, const iovec*, void*) {}, nullptr);
             }) >= 1U);
}

BOOST_FIXTURE_TEST_CASE(a_crossing_is_told, SmallPool) {
  const std::string name(200, 'n');
  spillway_pool_tenant* tenant = nullptr;
  BOOST_TEST(spillway_pool_tenant_create(pool, name.c_str(), &tenant) == SPILLWAY_POOL_OK);
  spillway_pool_tenant_set_limit(tenant, 10);
  const char* told = nullptr;
  BOOST_TEST(spillway_pool_on_tenant_limit(
                 pool,
                 [](const char* its_name, uint64_t, uint64_t, void* context) {
                   *static_cast<const char**>(context) = its_name;
                 },
                 static_cast<void*>(&told)) == SPILLWAY_POOL_OK);
  spillway_pool_buffer buffer;
  {
    const RefusingNew refusing(0);
    static_cast<void>(spillway_pool_alloc(pool, 1, tenant, &buffer));
  }
  BOOST_REQUIRE(told != nullptr);
  BOOST_TEST(told == name);
  spillway_pool_return(&buffer);
}

// A new callback that is refused, at whichever allocation, leaves the one before.
BOOST_AUTO_TEST_CASE(region_callbacks) {
  struct Told {
    int before = 0;
    int after = 0;
  };
  for (uint64_t successes = 0;; ++successes) {
    BOOST_REQUIRE(successes < 1000U);
    const SmallPool small;
    Told told;
    spillway_pool_buffer buffers[2];
    BOOST_TEST(spillway_pool_try_alloc(small.pool, 1, nullptr, &buffers[0]) == SPILLWAY_POOL_OK);
    BOOST_TEST(spillway_pool_on_region(
                   small.pool,
                   [](uint32_t, const iovec*, void* all) { ++static_cast<Told*>(all)->before; },
                   &told) == SPILLWAY_POOL_OK);
    spillway_pool_error error = SPILLWAY_POOL_OK;
    {
      const RefusingNew refusing(successes);
      error = spillway_pool_on_region(
          small.pool, [](uint32_t, const iovec*, void* all) { ++static_cast<Told*>(all)->after; },
          &told);
    }
    const bool refused = error != SPILLWAY_POOL_OK;
    BOOST_TEST(spillway_pool_try_alloc(small.pool, 8192, nullptr, &buffers[1]) == SPILLWAY_POOL_OK);
    BOOST_TEST(told.before == (refused ? 2 : 1));
    BOOST_TEST(told.after == (refused ? 0 : 2));
    spillway_pool_return(&buffers[0]);
    spillway_pool_return(&buffers[1]);
    if (!refused) {
      BOOST_TEST(successes >= 2U);
      break;
    }
  }
}

BOOST_FIXTURE_TEST_CASE(statistics, SmallPool) {
  spillway_pool_statistics all;
  BOOST_TEST(
      count_refusals([&] { return spillway_pool_read_statistics(pool, &all, sizeof all); }) >= 1U);
  BOOST_TEST(all.class_count == 2U);
  spillway_pool_class_statistics one;
  BOOST_TEST(count_refusals([&] { return spillway_pool_read_class(pool, 1, &one, sizeof one); }) ==
             0U);
  BOOST_TEST(std::string(one.name) == "medium");
  std::array<char, 4> text{'?', '?', '?', '?'};
  BOOST_TEST(count_refusals([&] {
               const size_t length = spillway_pool_prometheus(pool, text.data(), text.size());
               const bool empty = text[0] == '\0';
               return (length == 0) != empty ? SPILLWAY_POOL_INVALID
                      : length == 0          ? SPILLWAY_POOL_NO_MEMORY
                                             : SPILLWAY_POOL_OK;
             }) >= 1U);
}

BOOST_FIXTURE_TEST_CASE(regions, SmallPool) {
  spillway_pool_buffer buffer;
  BOOST_TEST(spillway_pool_try_alloc(pool, 1, nullptr, &buffer) == SPILLWAY_POOL_OK);
  size_t count = 1;
  {
    const RefusingNew refusing(0);
    count = spillway_pool_regions(pool, nullptr, 0);
  }
  BOOST_TEST(count == 0U);
  BOOST_TEST(spillway_pool_regions(pool, nullptr, 0) == 1U);
  spillway_pool_return(&buffer);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
