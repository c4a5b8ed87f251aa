// SPDX-License-Identifier: MIT
#include "spillway/foreign_buffer.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "test/pool/adapters.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

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
  Pool pool = make_pool(small_pool());
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
  Pool pool = make_pool(small_pool());
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
    Pool pool = make_pool(small_pool());
    ForeignBuffer pooled = with_text(pool, "pooled", 100);
    ForeignBuffer unpooled = with_text(pool, "unpooled", 100'000);
    BOOST_TEST(send(queue, pooled));
    BOOST_TEST(send(queue, unpooled));
  }
  std::string first;
  std::string second;
  std::thread([&] {
    first = queue_receive(&queue);
    second = queue_receive(&queue);
  }).join();
  BOOST_TEST(first == "unpooled");
  BOOST_TEST(second == "pooled");
}

BOOST_AUTO_TEST_CASE(comes_back_as_the_buffer_it_was) {
  Pool pool = make_pool(small_pool());
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
  Pool pool = make_pool(small_pool());
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
