// SPDX-License-Identifier: MIT
// Watched blocks are blocks like others to the program, and charged as long as they live.
#include "alloc/heap/watched.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "alloc/heap/tenants.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kWatchedSizes[] = {4 * kKiB, 20000,    64 * kKiB, 300 * kKiB,
                                    kMiB,     kMiB + 1, 6 * kMiB,  40 * kMiB};

struct WatchedFixture : HeapFixture {
  ~WatchedFixture() { BOOST_TEST(charged() == 0U); }
  static uint64_t charged() {
    stats::TenantSnapshot usage;
    BOOST_REQUIRE(read_tenant(Watching::tenant(), usage));
    return usage.live_bytes;
  }
};

BOOST_FIXTURE_TEST_SUITE(heap_watched, WatchedFixture)

BOOST_AUTO_TEST_CASE(a_note_is_one_word) {
  const Note note{.tenant = 255, .sample = Note::kMaxSample};
  BOOST_TEST(Note::of(note.word()).tenant == 255U);
  BOOST_TEST(Note::of(note.word()).sample == Note::kMaxSample);
  BOOST_TEST(Note::of(0).is_none());
  BOOST_TEST(!Note{.sample = 1}.is_none());
}

BOOST_AUTO_TEST_CASE(every_call_that_allocates_is_charged_at_usable_size) {
  const Watching watching;
  for (const size_t size : kWatchedSizes) {
    void* const blocks[] = {allocate(size),
                            allocate_zeroed(size),
                            allocate_aligned(64, size),
                            allocate_aligned(4 * kKiB, size),
                            allocate_aligned(64 * kKiB, size),
                            reallocate(nullptr, size)};
    uint64_t sum = 0;
    for (void* const block : blocks) {
      BOOST_REQUIRE(block != nullptr);
      BOOST_TEST(is_watched(block));
      BOOST_TEST(note_of(block).tenant == Watching::tenant());
      BOOST_TEST(usable_size(block) >= size);
      sum += usable_size(block);
    }
    BOOST_TEST(is_zero(blocks[1], size));
    BOOST_TEST(charged() == sum);
    for (void* const block : blocks) {
      fill(block, std::min(size, kMiB), 1);
      BOOST_REQUIRE(is_filled(block, std::min(size, kMiB), 1));
      free(block);
    }
    BOOST_TEST(charged() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(blocks_of_mimalloc_are_charged_by_it) {
  const Watching watching;
  for (const size_t size : {size_t{1}, size_t{100}, 4 * kKiB - 1, 100 * kMiB}) {
    void* const block = allocate(size);
    BOOST_TEST(!is_pooled(block));
    BOOST_TEST(charged() == (mimalloc::kChargesTenants ? usable_size(block) : 0U));
    free(block);
    BOOST_TEST(charged() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(who_frees_does_not_matter) {
  std::vector<void*> blocks;
  {
    const Watching watching;
    for (const size_t size : kWatchedSizes) {
      blocks.push_back(allocate(size));
    }
  }
  BOOST_TEST(charged() != 0U);
  void* const plain = allocate(64 * kKiB);
  BOOST_TEST(!is_watched(plain));
  free(plain);
  std::thread([&] {
    for (void* const block : blocks) {
      free(block);
    }
  }).join();
  BOOST_TEST(charged() == 0U);
}

BOOST_AUTO_TEST_CASE(the_next_owner_of_the_memory_is_not_watched) {
  for (const size_t size : kWatchedSizes) {
    void* block = nullptr;
    {
      const Watching watching;
      block = allocate(size);
    }
    free(block);
    std::vector<void*> others;
    for (int i = 0; i < 8; ++i) {
      others.push_back(allocate(size));
      BOOST_TEST(!is_watched(others.back()));
    }
    for (void* const other : others) {
      free(other);
    }
  }
}

// In place by growing and shrinking, and by moves, between pooled, large and growing blocks.
BOOST_AUTO_TEST_CASE(realloc_changes_the_charge) {
  std::optional<Watching> watching(std::in_place);
  char* block = static_cast<char*>(allocate(4 * kKiB));
  std::memset(block, 7, 4 * kKiB);
  constexpr size_t kSteps[] = {8 * kKiB, 60 * kKiB, 200 * kKiB, kMiB,       3 * kMiB,  20 * kMiB,
                               5 * kMiB, 2 * kMiB,  700 * kKiB, 256 * kKiB, 10 * kKiB, 4 * kKiB};
  for (const size_t size : kSteps) {
    block = static_cast<char*>(reallocate(block, size));
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(is_watched(block));
    BOOST_TEST(charged() == usable_size(block));
    BOOST_TEST((block[0] == 7 && block[4 * kKiB - 1] == 7));
  }
  // By a thread that is in no tenant: in place the block stays whose it is.
  watching.reset();
  char* const moved = static_cast<char*>(reallocate(block, 40 * kMiB));
  BOOST_TEST(is_watched(moved) == (moved == block));
  BOOST_TEST(charged() == (moved == block ? usable_size(moved) : 0U));
  free(moved);
  watching.emplace();
  block = static_cast<char*>(allocate(40 * kMiB));
  watching.reset();
  char* const same = static_cast<char*>(reallocate(block, 30 * kMiB));
  BOOST_REQUIRE(same == block);
  BOOST_TEST(is_watched(same));
  BOOST_TEST(charged() == usable_size(same));
  BOOST_TEST(reallocate(same, 0) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_wrong_size_is_counted) {
  const Watching watching;
  const uint64_t counted = snapshot().size_mismatches_total;
  free_sized(allocate(64 * kKiB), 64 * kKiB);
  BOOST_TEST(snapshot().size_mismatches_total == counted);
  free_sized(allocate(64 * kKiB), 128 * kKiB);
  BOOST_TEST(snapshot().size_mismatches_total == counted + 1);
  free_sized(allocate(2 * kMiB), 16 * kKiB);
  BOOST_TEST(snapshot().size_mismatches_total == counted + 1);
}

// A signal handler that interrupted the thread's bins is in the thread's tenant.
BOOST_AUTO_TEST_CASE(a_handler_allocates_for_the_thread) {
  const Watching watching;
  void* block = nullptr;
  {
    const core::BusyScope busy(thread_state);
    block = allocate(16 * kKiB);
    BOOST_TEST(is_watched(block));
    free(allocate(16 * kKiB));
  }
  BOOST_TEST(charged() == usable_size(block));
  free(block);
}

// Handed on by threads that are in the tenant and such that are not, some of which end.
BOOST_AUTO_TEST_CASE(exact_when_threads_hand_blocks_on) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kRounds = 3000;
  constexpr unsigned kCells = 64;
  static std::atomic<void*> cells[kCells];
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kThreads; ++number) {
    threads.emplace_back([number] {
      std::optional<Watching> watching;
      for (unsigned round = 0; round < kRounds; ++round) {
        if (round % 100 == 0) {
          watching.reset();
          if ((number + round / 100) % 2 == 0) {
            watching.emplace();
          }
        }
        void* block = allocate(kWatchedSizes[(round * 7 + number) % 4]);
        if (round % 5 == 0) {
          block = reallocate(block, kWatchedSizes[(round + number) % 6]);
        }
        free(cells[(round * 13 + number) % kCells].exchange(block));
      }
      watching.reset();
      heap.engine.detach(thread_state);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  uint64_t sum = 0;
  for (std::atomic<void*>& cell : cells) {
    void* const block = cell.load();
    sum += block != nullptr && is_watched(block) ? usable_size(block) : 0;
  }
  BOOST_TEST(charged() == sum);
  for (std::atomic<void*>& cell : cells) {
    free(cell.exchange(nullptr));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
