// The pool behind other interfaces: pool_resource.h, pool_allocator.h, foreign_buffer.h.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "spillway/foreign_buffer.h"
#include "spillway/pool.h"
#include "spillway/pool_allocator.h"
#include "spillway/pool_resource.h"

namespace spillway {
namespace {

// 4 KiB to 64 KiB, eight of each.
PoolConfig small_pool() { return PoolConfig().with_sizes(4096, 65536).with_max_per_class(8); }

Pool make_pool(const PoolConfig& config = small_pool()) {
  auto pool = Pool::create(config);
  BOOST_REQUIRE(pool.has_value());
  return std::move(*pool);
}

uint64_t live_buffers(const Pool& pool) {
  const PoolStatistics statistics = pool.statistics();
  return std::accumulate(
      statistics.classes.begin(), statistics.classes.end(), uint64_t{0},
      [](uint64_t sum, const PoolClassStatistics& one) { return sum + one.live; });
}

template <typename Pointer>
bool is_aligned(Pointer* pointer, size_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

struct alignas(4096) Page {
  std::byte bytes[4096];
};

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
  Pool pool = make_pool();
  const Tenant tenant = pool.tenant("containers");
  {
    PoolResource resource(pool, tenant);
    BOOST_TEST(live_buffers(pool) == 0U);
    std::pmr::vector<int> numbers(1000, 7, &resource);
    BOOST_TEST(live_buffers(pool) == 1U);
    BOOST_TEST(tenant.live_bytes() == 4096U);
    for (int i = 0; i < 100'000; ++i) {  // past the largest class
      numbers.push_back(i);
    }
    BOOST_TEST(numbers[999] == 7);
    BOOST_TEST(numbers.back() == 99'999);

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
  Pool pool = make_pool();
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
  Pool pool = make_pool();
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
  Pool pool = make_pool();
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
  Pool pool = make_pool();
  Pool other_pool = make_pool();
  CountingResource upstream;
  const PoolResource one(pool);
  const PoolResource same(pool, pool.tenant("somebody"));
  const PoolResource other(other_pool);
  const PoolResource with_upstream(pool, {}, &upstream);
  BOOST_TEST((one == one));
  BOOST_TEST((one == same));
  BOOST_TEST((one != other));
  BOOST_TEST((one != with_upstream));
  BOOST_TEST((one != *std::pmr::new_delete_resource()));
}

BOOST_AUTO_TEST_CASE(one_gives_back_what_an_equal_one_allocated) {
  Pool pool = make_pool();
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
  Pool pool = make_pool();
  Pool other_pool = make_pool();
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
  std::optional<Pool> pool(make_pool());
  PoolResource resource(*pool);
  std::pmr::vector<int> pooled(1000, 1, &resource);
  std::pmr::vector<int> untracked(100'000, 2, &resource);
  pool.reset();
  BOOST_TEST(pooled.back() == 1);
  BOOST_TEST(untracked.back() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

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
  Pool pool = make_pool();
  const Tenant tenant = pool.tenant("containers");
  {
    const PoolAllocator<int> allocator(pool, tenant);
    BOOST_TEST(live_buffers(pool) == 0U);
    Vector<int> numbers(1000, 7, allocator);
    BOOST_TEST(live_buffers(pool) == 1U);
    BOOST_TEST(tenant.live_bytes() == 4096U);
    for (int i = 0; i < 100'000; ++i) {  // past the largest class
      numbers.push_back(i);
    }
    BOOST_TEST(numbers[999] == 7);
    BOOST_TEST(numbers.back() == 99'999);

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
  Pool pool = make_pool();
  Pool other_pool = make_pool();
  const PoolAllocator<int> one(pool);
  const PoolAllocator<char> rebound(one);
  BOOST_TEST((one == PoolAllocator<int>(pool, pool.tenant("somebody"))));
  BOOST_TEST((one == rebound));
  BOOST_TEST((PoolAllocator<int>(rebound) == one));
  BOOST_TEST((one != PoolAllocator<int>(other_pool)));
  BOOST_TEST((rebound != PoolAllocator<int>(other_pool)));
  Pool moved = std::move(pool);
  BOOST_TEST((one == PoolAllocator<int>(moved)));
}

BOOST_AUTO_TEST_CASE(moving_and_swapping_take_the_allocator_along) {
  Pool pool = make_pool();
  Pool other_pool = make_pool();
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
  Pool pool = make_pool();
  Pool other_pool = make_pool();
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
  Pool pool = make_pool();
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
  std::optional<Pool> pool(make_pool());
  Vector<int> pooled(1000, 1, PoolAllocator<int>(*pool));
  Vector<int> untracked(100'000, 2, PoolAllocator<int>(*pool));
  Vector<Page> aligned(2, PoolAllocator<Page>(*pool));
  pool.reset();
  BOOST_TEST(pooled.back() == 1);
  BOOST_TEST(untracked.back() == 2);
  std::thread([moved = std::move(pooled)] { BOOST_TEST(moved.size() == 1000U); }).join();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(foreign_buffer)

// An interface in C that keeps what it is sent, and may refuse.
struct Message {
  void* data;
  size_t size;
  void (*free)(void* data, void* hint);
  void* hint;
};

struct Queue {
  std::vector<Message> messages;
  bool refuses = false;
};

int queue_send(Queue* queue, void* data, size_t size, void (*free)(void* data, void* hint),
               void* hint) {
  if (queue->refuses) {
    return -1;
  }
  queue->messages.push_back({data, size, free, hint});
  return 0;
}

std::string queue_receive(Queue* queue) {
  const Message message = queue->messages.back();
  queue->messages.pop_back();
  std::string text(static_cast<const char*>(message.data), message.size);
  message.free(message.data, message.hint);
  return text;
}

bool send(Queue& queue, ForeignBuffer& bytes) {
  if (queue_send(&queue, bytes.data(), bytes.size(), bytes.free_function(), bytes.hint()) != 0) {
    return false;
  }
  bytes.release();
  return true;
}

ForeignBuffer with_text(Pool& pool, std::string_view text, size_t capacity, Tenant tenant = {}) {
  Buffer buffer = pool.alloc(capacity, tenant);
  BOOST_TEST(buffer.append(text));
  ForeignBuffer bytes = ForeignBuffer::from(std::move(buffer));
  BOOST_TEST(!buffer);
  return bytes;
}

BOOST_AUTO_TEST_CASE(the_other_side_gives_the_memory_back) {
  Pool pool = make_pool();
  Queue queue;
  ForeignBuffer bytes = with_text(pool, "hello", 100);
  BOOST_TEST(bytes.size() == 5U);
  BOOST_TEST(bytes.span().data() == bytes.data());
  BOOST_TEST(send(queue, bytes));
  BOOST_TEST(!bytes);
  BOOST_TEST(bytes.data() == nullptr);
  BOOST_TEST(live_buffers(pool) == 1U);
  BOOST_TEST(queue_receive(&queue) == "hello");
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_given_back_here) {
  Pool pool = make_pool();
  Queue queue;
  queue.refuses = true;
  {
    ForeignBuffer bytes = with_text(pool, "hello", 100);
    BOOST_TEST(!send(queue, bytes));
    BOOST_TEST(live_buffers(pool) == 1U);
  }
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(memory_outlives_the_pool_and_is_given_back_by_any_thread) {
  Queue queue;
  {
    Pool pool = make_pool();
    ForeignBuffer pooled = with_text(pool, "pooled", 100);
    ForeignBuffer untracked = with_text(pool, "untracked", 100'000);
    BOOST_TEST(send(queue, pooled));
    BOOST_TEST(send(queue, untracked));
  }
  std::string first;
  std::string second;
  std::thread([&] {
    first = queue_receive(&queue);
    second = queue_receive(&queue);
  }).join();
  BOOST_TEST(first == "untracked");
  BOOST_TEST(second == "pooled");
}

BOOST_AUTO_TEST_CASE(comes_back_as_the_buffer_it_was) {
  Pool pool = make_pool();
  const Tenant tenant = pool.tenant("sender");
  for (const size_t capacity : {size_t{100}, size_t{100'000}}) {
    Buffer original = pool.alloc(capacity, tenant);
    BOOST_TEST(original.append("hello"));
    const std::byte* data = original.data();
    const size_t full = original.capacity();
    const bool pooled = original.is_pooled();

    ForeignBuffer bytes = ForeignBuffer::from(std::move(original));
    const Buffer buffer = std::move(bytes).to_buffer();
    BOOST_TEST(!bytes);
    BOOST_TEST(buffer.data() == data);
    BOOST_TEST(buffer.view() == "hello");
    BOOST_TEST(buffer.capacity() == full);
    BOOST_TEST(buffer.is_pooled() == pooled);
    BOOST_TEST(tenant.live_bytes() == full);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
  BOOST_TEST(live_buffers(pool) == 0U);
}

BOOST_AUTO_TEST_CASE(moves_as_a_unique_owner) {
  Pool pool = make_pool();
  const Tenant tenant = pool.tenant("owner");
  ForeignBuffer one = with_text(pool, "one", 100, tenant);
  ForeignBuffer other = with_text(pool, "other", 100, tenant);
  BOOST_TEST(live_buffers(pool) == 2U);
  one = std::move(other);
  BOOST_TEST(live_buffers(pool) == 1U);
  BOOST_TEST(!other);
  BOOST_TEST(one.size() == 5U);
  ForeignBuffer& self = one;
  one = std::move(self);
  BOOST_TEST(one.size() == 5U);
  const ForeignBuffer last(one.release());
  BOOST_TEST(!one);
  BOOST_TEST(!!last);
  BOOST_TEST(tenant.live_bytes() == 4096U);
}

BOOST_AUTO_TEST_CASE(nothing_is_nothing) {
  ForeignBuffer bytes = ForeignBuffer::from(Buffer());
  BOOST_TEST(!bytes);
  BOOST_TEST(bytes.size() == 0U);
  BOOST_TEST(bytes.span().empty());
  BOOST_TEST(!std::move(bytes).to_buffer());
  BOOST_TEST((bytes.release().free_function == nullptr));
}

BOOST_AUTO_TEST_CASE(owns_memory_of_others_too) {
  int freed = 0;
  char memory[8] = {};
  {
    const ForeignBuffer bytes(RawBuffer{
        memory, sizeof(memory), [](void*, void* hint) { ++*static_cast<int*>(hint); }, &freed});
    BOOST_TEST(bytes.size() == 8U);
  }
  BOOST_TEST(freed == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
