// SPDX-License-Identifier: MIT
// A pool and the process's own allocator at the same time: four threads fill, exchange, check and
// free blocks of both. Run as it is and with libspillway.so preloaded, which serves the same sizes.
// Exit status 0, or 1 with a line that says what was wrong.
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/bytes.h"
#include "test/random.h"

namespace {

using spillway::testing::Random;

constexpr uint32_t kThreads = 4;
constexpr uint32_t kRounds = 1500;
constexpr size_t kMin = 4096;

void check(bool good, const char* what) {
  if (!good) {
    std::fprintf(stderr, "wrong: %s\n", what);
    _exit(1);
  }
}

struct Free {
  void operator()(std::byte* block) const { std::free(block); }
};

// One block, from one of the three sources.
struct Item {
  spillway::Buffer buffer;
  std::unique_ptr<std::byte[], Free> from_malloc;
  std::unique_ptr<std::byte[]> from_new;
  size_t size = 0;
  std::byte mark{};

  std::byte* data() {
    return buffer ? buffer.data() : from_malloc ? from_malloc.get() : from_new.get();
  }
  void fill() { std::memset(data(), static_cast<int>(mark), size); }
  void verify() {
    check(data()[0] == mark, "the first byte");
    check(spillway::testing::holds(data(), 0, size, static_cast<char>(mark)),
          "the bytes after the first");
  }
};

std::mutex exchange_mutex;
std::vector<Item> exchanged;
std::atomic<uint64_t> pooled{0};

// From 4 KiB to 1 MiB, small ones more often.
size_t random_size(Random& random) {
  const size_t max = kMin << (random() % 9);
  return kMin + random() % (max - kMin + 1);
}

Item make_item(spillway::Pool& pool, Random& random) {
  Item item;
  item.size = random_size(random);
  item.mark = static_cast<std::byte>(random());
  switch (random() % 4) {
    case 0:
      item.from_malloc.reset(static_cast<std::byte*>(std::malloc(item.size)));
      break;
    case 1:
      item.from_new.reset(new std::byte[item.size]);
      break;
    default:
      item.buffer = pool.alloc_len(item.size);
      pooled += item.buffer.is_pooled() ? 1 : 0;
      break;
  }
  check(item.data() != nullptr, "no memory");
  item.fill();
  return item;
}

// Makes it larger, the old bytes staying.
void grow(Item& item) {
  if (item.from_new) {
    return;
  }
  const size_t size = item.size + item.size / 2;
  if (item.buffer) {
    check(item.buffer.resize(size, item.mark), "resize");
  } else {
    auto* const moved = static_cast<std::byte*>(std::realloc(item.from_malloc.release(), size));
    check(moved != nullptr, "realloc");
    item.from_malloc.reset(moved);
    std::memset(moved + item.size, static_cast<int>(item.mark), size - item.size);
  }
  item.size = size;
}

void work(spillway::Pool& pool, uint32_t number) {
  Random random(number * 7919 + 1);
  std::vector<Item> held;
  for (uint32_t round = 0; round < kRounds; ++round) {
    const uint32_t dice = random() % 8;
    if (held.size() < 6) {
      held.push_back(make_item(pool, random));
      continue;
    }
    std::swap(held[random() % held.size()], held.back());
    held.back().verify();
    if (dice == 0) {
      grow(held.back());
      held.back().verify();
    } else if (dice < 4) {
      const std::lock_guard lock(exchange_mutex);
      if (exchanged.size() < 4 * kThreads) {
        exchanged.push_back(std::move(held.back()));
        held.pop_back();
      } else {
        std::swap(exchanged[random() % exchanged.size()], held.back());
      }
    } else {
      held.pop_back();
    }
  }
  for (Item& item : held) {
    item.verify();
  }
}

}  // namespace

int main() {
  auto pool = spillway::Pool::create(spillway::PoolConfig::page_buffers(16));
  check(pool.has_value(), pool.has_value() ? "" : pool.error().c_str());
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&pool, number] { work(*pool, number); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (Item& item : exchanged) {
    item.verify();
  }
  exchanged.clear();
  check(pooled > kRounds / 8, "hardly anything was pooled");
  for (const spillway::PoolClassStatistics& each : pool->statistics().classes) {
    check(each.live == 0, "a buffer is lost");
  }
  return 0;
}
