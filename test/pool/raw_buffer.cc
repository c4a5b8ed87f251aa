// SPDX-License-Identifier: MIT
// Buffers as C interfaces take them.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <utility>

#include "spillway/pool.h"
#include "test/child.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

using spillway::testing::Ending;
using spillway::testing::run_in_child;

BOOST_AUTO_TEST_SUITE(pool_raw_buffer)

BOOST_AUTO_TEST_CASE(a_raw_buffer_comes_back_as_it_was) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("raw");
  for (const size_t size : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc(size, tenant);
    BOOST_TEST(buffer.append("raw bytes"));
    const size_t capacity = buffer.capacity();
    const RawBuffer raw = RawBuffer::from(std::move(buffer));
    BOOST_TEST(!buffer);  // NOLINT(bugprone-use-after-move)
    BOOST_TEST(raw.size == 9U);
    BOOST_TEST(std::memcmp(raw.data, "raw bytes", 9) == 0);
    BOOST_TEST(tenant.live_bytes() == capacity);
    Buffer again = RawBuffer::adopt(raw);
    BOOST_TEST(again.view() == "raw bytes");
    BOOST_TEST(again.capacity() == capacity);
    BOOST_TEST(again.data() == raw.data);
    again.release();
    BOOST_TEST(tenant.live_bytes() == 0U);
    const RawBuffer other = RawBuffer::from(pool.alloc_len(size, tenant));
    BOOST_TEST(other.size == size);
    give_back(other);
    BOOST_TEST(tenant.live_bytes() == 0U);
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_raw_buffer_may_begin_inside_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "header body");
  shared.advance(7);
  auto body = std::move(shared).to_buffer();
  BOOST_REQUIRE(body.has_value());
  const size_t capacity = body->capacity();
  const RawBuffer raw = RawBuffer::from(std::move(*body));
  BOOST_TEST(raw.size == 4U);
  BOOST_TEST(std::memcmp(raw.data, "body", 4) == 0);
  Buffer again = RawBuffer::adopt(raw);
  BOOST_TEST(again.view() == "body");
  BOOST_TEST(again.capacity() == capacity);
  give_back(RawBuffer::from(std::move(again)));
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(a_raw_buffer_may_begin_at_the_memory_s_end) {
  for (const size_t size : {4 * kKiB, 8 * kKiB, size_t{50000}}) {
    Pool pool = make_pool(two_classes(2));
    const Buffer neighbour = pool.alloc(size);
    SharedBuffer shared = pool.alloc_len(size).freeze();
    shared.advance(size);
    auto nothing = std::move(shared).to_buffer();
    BOOST_REQUIRE(nothing.has_value());
    BOOST_TEST(nothing->capacity() == 0U);
    const Buffer behind = pool.alloc(size);
    const Ending ending = run_in_child([&nothing] {
      Buffer again = RawBuffer::adopt(RawBuffer::from(std::move(*nothing)));
      give_back(RawBuffer::from(std::move(again)));
    });
    BOOST_TEST(ending.status == 0);
    BOOST_TEST(ending.message == "");
    const RawBuffer raw = RawBuffer::from(std::move(*nothing));
    if (ending.status == 0) {
      give_back(raw);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
