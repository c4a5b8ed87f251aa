// SPDX-License-Identifier: MIT
// Threads allocate, fill, freeze, slice, exchange and drop buffers of one pool, and of pools that
// come and go meanwhile. Each buffer is full of its owner's mark: one that two of them hold at the
// same time shows in its bytes, a lost one in the statistics.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/bytes.h"
#include "test/pool/fixture.h"
#include "test/random.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Random;

constexpr uint32_t kThreads = 8;
constexpr uint32_t kRounds = 3000;
constexpr size_t kMaxPerClass = 48;  // fewer than the threads ask for, at times

// All bytes are `mark`.
bool is_marked(std::span<const std::byte> bytes, std::byte mark) {
  return spillway::testing::holds(bytes.data(), 0, bytes.size(), static_cast<char>(mark));
}

// What threads hold and send: one of the three forms, with the mark that its bytes have.
struct Parcel {
  Buffer buffer;
  SharedBuffer shared;
  RawBuffer raw;
  std::byte mark{};

  bool is_intact() const {
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(raw.data), raw.size);
    return is_marked(buffer.span(), mark) && is_marked(shared.span(), mark) &&
           is_marked(bytes, mark);
  }
  void drop() {
    buffer.release();
    shared = SharedBuffer();
    if (raw.data != nullptr) {
      const RawBuffer mine = std::exchange(raw, RawBuffer());
      mine.free_function(mine.data, mine.hint);
    }
  }
};

struct Mailbox {
  std::mutex mutex;
  std::vector<Parcel> parcels;

  void send(Parcel parcel) {
    const std::lock_guard lock(mutex);
    parcels.push_back(std::move(parcel));
  }
  std::vector<Parcel> empty() {
    const std::lock_guard lock(mutex);
    return std::exchange(parcels, {});
  }
};

struct Stress {
  explicit Stress(ThreadCachePolicy cache)
      : config(PoolConfig()
                   .with_sizes(kKiB, 16 * kKiB)
                   .with_max_per_class(kMaxPerClass)
                   .with_parallelism(4)
                   .with_thread_cache(cache)),
        pool(make_pool(config)),
        tenant(pool.tenant("stress")) {}

  void check(bool good) {
    if (!good) {
      errors.fetch_add(1, std::memory_order_relaxed);
    }
  }

  Parcel fresh(Pool& from, Tenant owner, Random& random, std::byte mark) {
    Parcel parcel;
    parcel.mark = mark;
    const uint32_t dice = random();
    const size_t size = 1 + random() % (18 * kKiB);  // some are larger than all classes
    switch (dice % 4) {
      case 0:
        parcel.buffer = from.alloc(size, owner);
        break;
      case 1:
        parcel.buffer = from.alloc_zeroed(size, owner);
        check(is_marked(parcel.buffer.span(), std::byte{0}));
        break;
      case 2:
        parcel.buffer = from.acquire(size, owner);
        check(is_marked(parcel.buffer.span(), std::byte{0}));
        break;
      default:
        if (auto buffer = from.try_alloc_len(size, owner); buffer.has_value()) {
          parcel.buffer = std::move(*buffer);
        }
        break;
    }
    if (parcel.buffer) {
      parcel.buffer.clear();
      check(parcel.buffer.resize(size / 2 + 1, mark));
    }
    return parcel;
  }

  // Does one thing with a parcel that is kept.
  void change(Parcel& parcel, Random& random) {
    check(parcel.is_intact());
    const uint32_t dice = random();
    if (parcel.buffer) {
      if (dice % 4 == 0) {
        const size_t before = parcel.buffer.size();
        const std::span<const std::byte> own = parcel.buffer.span().first(before / 3);
        check(parcel.buffer.append(own) || own.size() > parcel.buffer.spare().size());
      } else if (dice % 4 == 1) {
        check(parcel.buffer.resize(random() % (18 * kKiB), parcel.mark));
      } else if (dice % 4 == 2) {
        parcel.raw = RawBuffer::from(std::move(parcel.buffer));
      } else {
        parcel.shared = std::move(parcel.buffer).freeze();
      }
    } else if (parcel.raw.data != nullptr) {
      parcel.buffer = RawBuffer::adopt(std::exchange(parcel.raw, RawBuffer()));
    } else if (parcel.shared) {
      if (dice % 2 == 0) {
        parcel.shared.advance(parcel.shared.size() / 4);
      } else if (auto again = std::move(parcel.shared).to_buffer(); again.has_value()) {
        parcel.buffer = std::move(*again);
      } else {
        parcel.shared = std::move(again.error());
      }
    }
    check(parcel.is_intact());
  }

  // The parcel, or, if it is shared, some of it, keeping the rest.
  static Parcel to_send(Parcel& parcel, uint32_t dice) {
    if (!parcel.shared || dice % 4 == 0) {
      return std::exchange(parcel, Parcel());
    }
    Parcel part;
    part.mark = parcel.mark;
    part.shared = dice % 4 == 1   ? parcel.shared
                  : dice % 4 == 2 ? parcel.shared.slice(parcel.shared.size() / 3)
                                  : parcel.shared.take(parcel.shared.size() / 2);
    return part;
  }

  void work(uint32_t number) {
    Random random(number * 7919 + 17);
    uint32_t mark = number;
    std::vector<Parcel> held;
    for (uint32_t round = 0; round < kRounds; ++round) {
      const uint32_t dice = random();
      const size_t at = held.empty() ? 0 : random() % held.size();
      if (held.size() < 8 || dice % 4 == 0) {
        mark += kThreads;
        held.push_back(fresh(pool, dice % 3 == 0 ? tenant : Tenant(), random,
                             static_cast<std::byte>(mark % 255 + 1)));
      } else if (dice % 4 == 1) {
        change(held[at], random);
      } else if (dice % 4 == 2) {
        mailboxes[random() % kThreads].send(to_send(held[at], dice >> 4));
      } else {
        check(held[at].is_intact());
        held[at].drop();
        std::swap(held[at], held.back());
        held.pop_back();
      }
      if (round % 16 == 0) {
        for (Parcel& parcel : mailboxes[number].empty()) {
          check(parcel.is_intact());
          if (random() % 2 == 0) {
            change(parcel, random);
            held.push_back(std::move(parcel));
          } else {
            parcel.drop();
          }
        }
      }
      if (round % 256 == number) {
        pool.flush();
      }
      if (round % 100 == number * 11) {
        // A pool that is gone before its buffers are.
        expected<Pool, std::string> passing = Pool::create(config);
        check(passing.has_value());
        if (!passing.has_value()) {
          continue;
        }
        const Tenant guest = passing->tenant("guest");
        for (int i = 0; i < 6; ++i) {
          held.push_back(fresh(*passing, guest, random, static_cast<std::byte>(number + 1)));
          mailboxes[random() % kThreads].send(
              fresh(*passing, guest, random, static_cast<std::byte>(number + 1)));
        }
      }
    }
    for (Parcel& parcel : held) {
      check(parcel.is_intact());
      parcel.drop();
    }
  }

  // Any moment will do.
  void look() {
    const PoolStatistics now = pool.statistics();
    for (const PoolClassStatistics& each : now.classes) {
      check(each.live <= kMaxPerClass);
      check(each.cached <= kMaxPerClass);
      check(each.free <= kMaxPerClass);
    }
    pool.purge();
  }

  void run() {
    std::vector<std::thread> threads;
    for (uint32_t number = 0; number < kThreads; ++number) {
      threads.emplace_back([this, number] { work(number); });
    }
    for (int i = 0; i < 20; ++i) {
      look();
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (Mailbox& mailbox : mailboxes) {
      for (Parcel& parcel : mailbox.empty()) {
        check(parcel.is_intact());
        parcel.drop();
      }
    }
    pool.flush();
    BOOST_TEST(errors == 0U);
    const PoolStatistics now = pool.statistics();
    BOOST_TEST(now.live_bytes == 0U);
    BOOST_TEST(tenant.live_bytes() == 0U);
    BOOST_TEST(now.allocations == now.recycles + now.misses);
    for (const PoolClassStatistics& each : now.classes) {
      BOOST_TEST(each.live == 0U);
      BOOST_TEST(each.cached == 0U);
      BOOST_TEST(each.allocations > 0U);
      BOOST_TEST(each.allocations == each.created + each.hits);
      std::vector<Buffer> all;
      for (auto next = pool.try_alloc(each.size); next.has_value();
           next = pool.try_alloc(each.size)) {
        all.push_back(std::move(*next));
      }
      BOOST_TEST(all.size() == kMaxPerClass);
    }
  }

  PoolConfig config;
  Pool pool;
  Tenant tenant;
  Mailbox mailboxes[kThreads];
  std::atomic<uint32_t> errors{0};
};

BOOST_AUTO_TEST_SUITE(pool_stress)

BOOST_AUTO_TEST_CASE(buffers_change_hands) { Stress(ThreadCachePolicy::automatic()).run(); }

BOOST_AUTO_TEST_CASE(buffers_change_hands_with_large_caches) {
  Stress(ThreadCachePolicy::exact(16)).run();
}

BOOST_AUTO_TEST_CASE(buffers_change_hands_without_caches) {
  Stress(ThreadCachePolicy::disabled()).run();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
