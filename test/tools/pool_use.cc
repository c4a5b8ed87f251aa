// SPDX-License-Identifier: MIT
// A program that uses a pool rightly, or wrongly in the way that its argument names. What a tool
// says of it is judged by report.py.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "spillway/pool_allocator.h"

namespace {

constexpr size_t kSize = 4096;

// What keeps the compiler from knowing better.
volatile char seen = 0;
__attribute__((noinline)) void read_byte(const std::byte* at) {
  seen = *reinterpret_cast<const volatile char*>(at);
}
__attribute__((noinline)) void write_byte(std::byte* at) {
  *reinterpret_cast<volatile char*>(at) = 1;
}

__attribute__((noinline)) spillway::Buffer take_buffer(spillway::Pool& pool, size_t size) {
  return pool.alloc_len(size);
}
__attribute__((noinline)) void give_buffer(spillway::Buffer& buffer) { buffer.release(); }
__attribute__((noinline)) void give_raw(const spillway::RawBuffer& raw) {
  raw.free_function(raw.data, raw.hint);
}
__attribute__((noinline)) void give_shared(spillway::SharedBuffer& buffer) { buffer = {}; }

void use_after_return(spillway::Pool& pool) {
  spillway::Buffer buffer = take_buffer(pool, kSize);
  std::byte* const data = buffer.data();
  std::memset(data, 1, kSize);
  give_buffer(buffer);
  // Others that come and go meanwhile.
  for (int i = 0; i < 40; ++i) {
    spillway::Buffer other = pool.alloc_zeroed(kSize);
  }
  read_byte(data + 16);
}

void shared_after_return(spillway::Pool& pool) {
  spillway::SharedBuffer shared = take_buffer(pool, kSize).freeze();
  const std::byte* const data = shared.data();
  give_shared(shared);
  write_byte(const_cast<std::byte*>(data) + 16);
}

void raw_after_return(spillway::Pool& pool) {
  const spillway::RawBuffer raw = spillway::RawBuffer::from(take_buffer(pool, kSize));
  std::thread other([&raw] { give_raw(raw); });
  other.join();
  write_byte(static_cast<std::byte*>(raw.data) + 16);
}

void beyond_end(spillway::Pool& pool) {
  const spillway::Buffer before = take_buffer(pool, kSize);
  spillway::Buffer buffer = take_buffer(pool, kSize);
  write_byte(buffer.data() + buffer.capacity());
}

void beyond_request(spillway::Pool& pool) {
  std::vector<std::byte, spillway::PoolAllocator<std::byte>> bytes{
      spillway::PoolAllocator<std::byte>(pool)};
  bytes.resize(1000);
  write_byte(bytes.data() + 1004);
}

void return_twice(spillway::Pool& pool) {
  const spillway::RawBuffer raw = spillway::RawBuffer::from(take_buffer(pool, kSize));
  give_raw(raw);
  give_raw(raw);
}

void unpooled_after_return(spillway::Pool& pool) {
  spillway::Buffer buffer = take_buffer(pool, size_t{8} << 20);
  std::byte* const data = buffer.data();
  give_buffer(buffer);
  read_byte(data + 16);
}

void uninitialised(spillway::Pool& pool) {
  {
    spillway::Buffer used = take_buffer(pool, kSize);
    std::memset(used.data(), 1, kSize);
  }
  const spillway::Buffer buffer = take_buffer(pool, kSize);
  if (buffer[16] == std::byte{1}) {
    std::puts("one");
  }
}

void leak(spillway::Pool& pool) {
  // Not the first one: where it is the pool's own memory begins, which the pool knows.
  const spillway::Buffer first = take_buffer(pool, kSize);
  static_cast<void>(spillway::RawBuffer::from(take_buffer(pool, kSize)));
}

// All that a pool does, and nothing wrong: pointers to the heap in buffers alone, buffers that move
// between threads, exhausted classes, purges, a buffer that outlives its pool.
void correct(spillway::Pool&) {
  spillway::Buffer survivor;
  for (const bool pinned : {false, true}) {
    auto pool = spillway::Pool::create(spillway::PoolConfig::page_buffers(8).with_pinned(pinned));
    std::vector<spillway::Buffer> all;
    for (int round = 0; round < 30; ++round) {
      for (size_t size = 1; size <= size_t{2} << 20; size *= 4) {
        spillway::Buffer buffer = pool->alloc_zeroed(size);
        for (size_t i = 0; i < size; i += 512) {
          seen = std::to_integer<char>(buffer[i]);
        }
        std::memset(buffer.data(), round, buffer.capacity());
        all.push_back(std::move(buffer));
      }
      if (round % 3 == 2) {
        std::thread([&] { all.clear(); }).join();
        pool->purge();
      }
    }
    spillway::SharedBuffer shared = pool->acquire(100).freeze();
    spillway::SharedBuffer part = shared.slice(10, 20);
    shared = {};
    for (const std::byte byte : part) {
      seen = std::to_integer<char>(byte);
    }
    using Number = std::unique_ptr<int>;
    std::vector<Number, spillway::PoolAllocator<Number>> numbers{
        spillway::PoolAllocator<Number>(*pool)};
    for (int i = 0; i < 1000; ++i) {
      numbers.push_back(std::make_unique<int>(i));
    }
    // Never deleted, and known to the pool's buffer alone.
    spillway::Buffer& kept = *new spillway::Buffer(pool->alloc_zeroed(kSize));
    static std::vector<spillway::Buffer*>& keeper = *new std::vector<spillway::Buffer*>;
    keeper.push_back(&kept);
    void* const known_here_only = new int(1);
    std::memcpy(kept.data(), &known_here_only, sizeof known_here_only);
    survivor = pool->alloc_len(kSize);
    std::memset(survivor.data(), 1, kSize);
  }
  std::memset(survivor.data(), 2, kSize);
  // Where pools were, others' memory is.
  survivor.release();
  for (int i = 0; i < 8; ++i) {
    auto another = spillway::Pool::create(spillway::PoolConfig::page_buffers(8));
    spillway::Buffer buffer = another->acquire(kSize);
    std::memset(buffer.data(), 1, buffer.capacity());
  }
}

struct Case {
  std::string_view name;
  void (*run)(spillway::Pool& pool);
};
constexpr Case kCases[] = {{"use_after_return", use_after_return},
                           {"shared_after_return", shared_after_return},
                           {"raw_after_return", raw_after_return},
                           {"beyond_end", beyond_end},
                           {"beyond_request", beyond_request},
                           {"return_twice", return_twice},
                           {"unpooled_after_return", unpooled_after_return},
                           {"uninitialised", uninitialised},
                           {"leak", leak},
                           {"correct", correct}};

}  // namespace

int main(int count, char** arguments) {
  for (const Case& one : kCases) {
    if (count == 2 && one.name == arguments[1]) {
      auto pool = spillway::Pool::create(spillway::PoolConfig::page_buffers(64));
      one.run(*pool);
      std::puts("end");
      return 0;
    }
  }
  std::fputs("usage: pool_use CASE\n", stderr);
  return 2;
}
