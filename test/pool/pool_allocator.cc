// SPDX-License-Identifier: MIT
#include "spillway/pool_allocator.h"

#include <boost/test/unit_test.hpp>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "test/pool/adapters.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_allocator)

template <typename T>
using Vector = std::vector<T, PoolAllocator<T>>;
using Traits = std::allocator_traits<PoolAllocator<int>>;

static_assert(std::is_nothrow_copy_constructible_v<PoolAllocator<int>>);
static_assert(std::is_nothrow_copy_assignable_v<PoolAllocator<int>>);
static_assert(std::is_nothrow_constructible_v<PoolAllocator<int>, const PoolAllocator<char>&>);
static_assert(std::is_convertible_v<PoolAllocator<char>, PoolAllocator<int>>);
static_assert(std::is_same_v<Traits::rebind_alloc<char>, PoolAllocator<char>>);
static_assert(!Traits::is_always_equal::value);
static_assert(std::is_nothrow_move_constructible_v<Vector<int>>);
static_assert(std::is_nothrow_move_assignable_v<Vector<int>>);
static_assert(std::is_nothrow_swappable_v<Vector<int>>);

BOOST_AUTO_TEST_CASE(containers_use_the_pool_and_give_all_back) {
  Pool pool = make_pool(small_pool());
  const Tenant tenant = pool.tenant("containers");
  {
    const PoolAllocator<int> allocator(pool, tenant);
    BOOST_TEST(live_buffers(pool) == 0U);
    check_growing(Vector<int>(1000, 7, allocator), pool, tenant);

    std::basic_string<char, std::char_traits<char>, PoolAllocator<char>> text(5000, 'x', allocator);
    BOOST_TEST(text.size() == 5000U);

    std::map<int, int, std::less<>, PoolAllocator<std::pair<const int, int>>> map(
        (PoolAllocator<std::pair<const int, int>>(allocator)));
    std::list<int, PoolAllocator<int>> list(allocator);
    for (int i = 0; i < 20; ++i) {  // more nodes than buffers
      map[i] = i;
      list.push_front(i);
    }
    map.erase(3);
    list.sort();
    BOOST_TEST(list.back() == 19);

    const auto shared = std::allocate_shared<Page>(allocator);
    BOOST_TEST(is_aligned(shared.get(), 4096));
  }
  BOOST_TEST(live_buffers(pool) == 0U);
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(equal_are_those_of_one_pool) {
  Pool pool = make_pool(small_pool());
  Pool other_pool = make_pool(small_pool());
  const PoolAllocator<int> one(pool);
  const PoolAllocator<char> rebound(one);
  BOOST_TEST((one == PoolAllocator<int>(pool, pool.tenant("other"))));
  BOOST_TEST((one == rebound));
  BOOST_TEST((PoolAllocator<int>(rebound) == one));
  BOOST_TEST((one != PoolAllocator<int>(other_pool)));
  BOOST_TEST((rebound != PoolAllocator<int>(other_pool)));
  Pool moved = std::move(pool);
  BOOST_TEST((one == PoolAllocator<int>(moved)));
}

BOOST_AUTO_TEST_CASE(moving_and_swapping_take_the_allocator_along) {
  Pool pool = make_pool(small_pool());
  Pool other_pool = make_pool(small_pool());
  {
    Vector<int> one(1000, 1, PoolAllocator<int>(pool));
    Vector<int> other(2000, 2, PoolAllocator<int>(other_pool));
    const int* one_data = one.data();
    const int* other_data = other.data();

    swap(one, other);
    BOOST_TEST(one.data() == other_data);
    BOOST_TEST(other.data() == one_data);
    BOOST_TEST((one.get_allocator() == PoolAllocator<int>(other_pool)));
    BOOST_TEST((other.get_allocator() == PoolAllocator<int>(pool)));

    one = std::move(other);
    BOOST_TEST(one.data() == one_data);
    BOOST_TEST((one.get_allocator() == PoolAllocator<int>(pool)));
    BOOST_TEST(live_buffers(pool) == 1U);
    BOOST_TEST(live_buffers(other_pool) == 0U);

    Vector<int> constructed(std::move(one));
    BOOST_TEST(constructed.data() == one_data);
    BOOST_TEST((constructed.get_allocator() == PoolAllocator<int>(pool)));

    Vector<int> elsewhere(std::move(constructed), PoolAllocator<int>(other_pool));
    BOOST_TEST(elsewhere.data() != one_data);
    BOOST_TEST(elsewhere.size() == 1000U);
    BOOST_TEST(live_buffers(other_pool) == 1U);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
  BOOST_TEST(live_buffers(other_pool) == 0U);
}

BOOST_AUTO_TEST_CASE(copying_leaves_each_in_its_pool) {
  Pool pool = make_pool(small_pool());
  Pool other_pool = make_pool(small_pool());
  {
    const Vector<int> from(1000, 1, PoolAllocator<int>(pool));
    Vector<int> to(10, 2, PoolAllocator<int>(other_pool));
    to = from;
    BOOST_TEST((to == from));
    BOOST_TEST((to.get_allocator() != from.get_allocator()));
    BOOST_TEST(live_buffers(pool) == 1U);
    const Vector<int> constructed(from);
    BOOST_TEST((constructed.get_allocator() == from.get_allocator()));
    BOOST_TEST(live_buffers(pool) == 2U);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
  BOOST_TEST(live_buffers(other_pool) == 0U);
}

BOOST_AUTO_TEST_CASE(over_aligned_types) {
  Pool coarse = make_pool(small_pool().with_alignment(4096));
  Pool fine = make_pool(small_pool().with_alignment(64));
  Vector<Page> pooled(2, PoolAllocator<Page>(coarse));
  Vector<Page> others(2, PoolAllocator<Page>(fine));
  BOOST_TEST(is_aligned(pooled.data(), 4096));
  BOOST_TEST(is_aligned(others.data(), 4096));
  BOOST_TEST(live_buffers(coarse) == 1U);
  BOOST_TEST(live_buffers(fine) == 0U);
  pooled = std::move(others);
  BOOST_TEST(live_buffers(coarse) == 0U);
  BOOST_TEST(pooled.size() == 2U);
}

BOOST_AUTO_TEST_CASE(absurd_sizes_throw) {
  Pool pool = make_pool(small_pool());
  const Tenant tenant = pool.tenant("absurd");
  PoolAllocator<int> allocator(pool, tenant);
  for (const size_t count : {SIZE_MAX, SIZE_MAX / sizeof(int) + 1}) {
    BOOST_CHECK_THROW(static_cast<void>(allocator.allocate(count)), std::bad_array_new_length);
  }
  for (const size_t count : {SIZE_MAX / sizeof(int), SIZE_MAX / 2 / sizeof(int)}) {
    BOOST_CHECK_THROW(static_cast<void>(allocator.allocate(count)), std::bad_alloc);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(containers_may_outlive_the_pool) {
  std::optional<Pool> pool(make_pool(small_pool()));
  Vector<int> pooled(1000, 1, PoolAllocator<int>(*pool));
  Vector<int> unpooled(100'000, 2, PoolAllocator<int>(*pool));
  Vector<Page> aligned(2, PoolAllocator<Page>(*pool));
  pool.reset();
  BOOST_TEST(pooled.back() == 1);
  BOOST_TEST(unpooled.back() == 2);
  std::thread([moved = std::move(pooled)] { BOOST_TEST(moved.size() == 1000U); }).join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
