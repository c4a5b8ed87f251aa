// SPDX-License-Identifier: MIT
#include "spillway/pool_resource.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>
#include <memory_resource>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/pool/adapters.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

// Counts what is asked of it.
class CountingResource : public std::pmr::memory_resource {
 public:
  size_t live = 0;

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    ++live;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, size_t bytes, size_t alignment) override {
    --live;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

BOOST_AUTO_TEST_SUITE(pool_resource)

BOOST_AUTO_TEST_CASE(containers_use_the_pool_and_give_all_back) {
  Pool pool = make_pool(small_pool());
  const Tenant tenant = pool.tenant("containers");
  {
    PoolResource resource(pool, tenant);
    BOOST_TEST(live_buffers(pool) == 0U);
    check_growing(std::pmr::vector<int>(1000, 7, &resource), pool, tenant);

    std::pmr::string text(5000, 'x', &resource);
    text += "end";
    BOOST_TEST(text.size() == 5003U);

    std::pmr::map<int, std::pmr::string> map(&resource);  // more nodes than buffers
    for (int i = 0; i < 20; ++i) {
      map.emplace(i, std::string(100, 'y'));
    }
    BOOST_TEST(map.at(19).get_allocator().resource() == &resource);
    BOOST_TEST(map.at(19).size() == 100U);
    BOOST_TEST(live_buffers(pool) > 0U);
    map.erase(3);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_resource_in_front_cuts_small_objects_from_buffers) {
  Pool pool = make_pool(small_pool());
  PoolResource resource(pool);
  {
    std::pmr::monotonic_buffer_resource nodes(4096, &resource);
    std::pmr::map<int, int> map(&nodes);
    for (int i = 0; i < 1000; ++i) {
      map[i] = i;
    }
    BOOST_TEST(live_buffers(pool) > 0U);
    BOOST_TEST(live_buffers(pool) < 10U);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_is_somewhere_too) {
  Pool pool = make_pool(small_pool());
  PoolResource resource(pool);
  void* one = resource.allocate(0);
  void* other = resource.allocate(0);
  BOOST_TEST(one != nullptr);
  BOOST_TEST(one != other);
  resource.deallocate(one, 0);
  resource.deallocate(other, 0);
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(alignments_up_to_the_pools_are_pooled) {
  Pool pool = make_pool(small_pool().with_alignment(4096));
  CountingResource upstream;
  PoolResource resource(pool, {}, &upstream);
  // Pooled, and too large for that.
  for (const size_t bytes : {size_t{100}, size_t{100'000}}) {
    for (const size_t alignment : {size_t{1}, size_t{64}, size_t{4096}}) {
      void* memory = resource.allocate(bytes, alignment);
      BOOST_TEST(is_aligned(memory, alignment));
      std::memset(memory, 1, bytes);
      resource.deallocate(memory, bytes, alignment);
    }
  }
  std::pmr::vector<Page> pages(3, &resource);
  BOOST_TEST(is_aligned(pages.data(), 4096));
  BOOST_TEST(live_buffers(pool) == 1U);
  BOOST_TEST(upstream.live == 0U);
}

BOOST_AUTO_TEST_CASE(larger_alignments_are_upstreams) {
  Pool pool = make_pool(small_pool().with_alignment(64));
  CountingResource upstream;
  {
    PoolResource resource(pool, {}, &upstream);
    BOOST_TEST(resource.upstream_resource() == &upstream);
    std::pmr::vector<Page> pages(3, &resource);
    BOOST_TEST(is_aligned(pages.data(), 4096));
    BOOST_TEST(upstream.live == 1U);
    BOOST_TEST(live_buffers(pool) == 0U);
  }
  BOOST_TEST(upstream.live == 0U);
}

BOOST_AUTO_TEST_CASE(absurd_sizes_throw) {
  Pool pool = make_pool(small_pool());
  const Tenant tenant = pool.tenant("absurd");
  PoolResource resource(pool, tenant, std::pmr::null_memory_resource());
  for (const size_t bytes : {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX / 2, SIZE_MAX / 2 + 1}) {
    BOOST_CHECK_THROW(static_cast<void>(resource.allocate(bytes)), std::bad_alloc);
    BOOST_CHECK_THROW(static_cast<void>(resource.allocate(bytes, 1 << 20)), std::bad_alloc);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
  std::pmr::vector<char> fine(100, &resource);
}

BOOST_AUTO_TEST_CASE(equal_are_those_of_one_pool_with_equal_upstreams) {
  Pool pool = make_pool(small_pool());
  Pool other_pool = make_pool(small_pool());
  CountingResource upstream;
  const PoolResource one(pool);
  const PoolResource same(pool, pool.tenant("other"));
  const PoolResource other(other_pool);
  const PoolResource with_upstream(pool, {}, &upstream);
  BOOST_TEST((one == one));
  BOOST_TEST((one == same));
  BOOST_TEST((one != other));
  BOOST_TEST((one != with_upstream));
  BOOST_TEST((one != *std::pmr::new_delete_resource()));
}

BOOST_AUTO_TEST_CASE(one_gives_back_what_an_equal_one_allocated) {
  Pool pool = make_pool(small_pool());
  const Tenant tenant = pool.tenant("giver");
  PoolResource giver(pool, tenant);
  PoolResource taker(pool);
  {
    std::pmr::vector<int> from(1000, 1, &giver);
    const int* data = from.data();
    std::pmr::vector<int> to(&taker);
    to = std::move(from);
    BOOST_TEST(to.data() == data);
    BOOST_TEST(to.get_allocator().resource() == &taker);
    BOOST_TEST(tenant.live_bytes() == 4096U);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(between_pools_objects_move_one_by_one) {
  Pool pool = make_pool(small_pool());
  Pool other_pool = make_pool(small_pool());
  PoolResource resource(pool);
  PoolResource other_resource(other_pool);
  {
    std::pmr::vector<int> from(1000, 1, &resource);
    const int* data = from.data();
    std::pmr::vector<int> to(&other_resource);
    to = std::move(from);
    BOOST_TEST(to.data() != data);
    BOOST_TEST(to.size() == 1000U);
    BOOST_TEST(live_buffers(other_pool) == 1U);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
  BOOST_TEST(live_buffers(other_pool) == 0U);
}

BOOST_AUTO_TEST_CASE(containers_may_outlive_the_pool) {
  std::optional<Pool> pool(make_pool(small_pool()));
  PoolResource resource(*pool);
  std::pmr::vector<int> pooled(1000, 1, &resource);
  std::pmr::vector<int> unpooled(100'000, 2, &resource);
  pool.reset();
  BOOST_TEST(pooled.back() == 1);
  BOOST_TEST(unpooled.back() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
