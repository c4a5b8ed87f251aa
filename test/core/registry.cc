// SPDX-License-Identifier: MIT
#include "alloc/core/registry.h"

#include <boost/test/unit_test.hpp>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

struct RegistryFixture {
  RegistryFixture() : geometry(make_geometry(testing::kBlockSizes, {})) { faulty::reset(); }
  ~RegistryFixture() {
    registry.release_memory();
    faulty::reset();
  }
  uint32_t count() const {
    uint32_t caches = 0;
    registry.for_each([&](ThreadCache&) { ++caches; });
    return caches;
  }
  Geometry geometry;
  Registry registry;
};

BOOST_FIXTURE_TEST_SUITE(registry, RegistryFixture)

BOOST_AUTO_TEST_CASE(has_no_room_before_it_is_reserved) {
  BOOST_TEST(registry.claim() == nullptr);
  BOOST_TEST(count() == 0U);
}

BOOST_AUTO_TEST_CASE(caches_are_reused_and_counted_once) {
  registry.reserve(geometry, 8);
  ThreadCache* first = registry.claim();
  ThreadCache* second = registry.claim();
  BOOST_REQUIRE(first != nullptr);
  BOOST_REQUIRE(second != nullptr);
  BOOST_TEST(first != second);
  BOOST_TEST(first->number() != second->number());
  registry.release(*first);
  BOOST_TEST(registry.claim() == first);
  BOOST_TEST(count() == 2U);
  BOOST_TEST(registry.in_use(*first));
  BOOST_TEST(registry.in_use(*second));
  registry.release(*second);
  BOOST_TEST(registry.in_use(*first));
  BOOST_TEST(!registry.in_use(*second));
}

BOOST_AUTO_TEST_CASE(gives_none_beyond_its_room) {
  registry.reserve(geometry, 2);
  BOOST_TEST(registry.claim() != nullptr);
  ThreadCache* last = registry.claim();
  BOOST_TEST(registry.claim() == nullptr);
  registry.release(*last);
  BOOST_TEST(registry.claim() == last);
}

BOOST_AUTO_TEST_CASE(makes_do_with_less_address_space) {
  faulty::fail(faulty::Call::kReserve, 0, 2);
  registry.reserve(geometry, 8);
  BOOST_TEST(registry.claim() != nullptr);
  BOOST_TEST(registry.claim() != nullptr);
  BOOST_TEST(registry.claim() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_refused_commit_is_no_cache) {
  registry.reserve(geometry, 8);
  faulty::fail(faulty::Call::kCommit, 0, 1);
  BOOST_TEST(registry.claim() == nullptr);
  BOOST_TEST(count() == 0U);
  BOOST_TEST(registry.claim() != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
