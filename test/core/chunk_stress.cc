// SPDX-License-Identifier: MIT
// Threads claim and give runs of one chunk, and change one index.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "alloc/core/chunk.h"
#include "alloc/core/run_index.h"
#include "test/random.h"

namespace spillway::core {
namespace {

constexpr uint32_t kThreads = 4;
constexpr uint32_t kSteps = 20000;

template <typename Work>
void run_in_threads(Work work) {
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([number, &work] { work(number); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

BOOST_AUTO_TEST_SUITE(chunk_stress)

// Page 0 gets dirty by another thread's block while the owner of grains 7 to 14 asks how many of
// them read as zero. Those on page 1 never do.
BOOST_AUTO_TEST_CASE(a_dirty_grain_is_clean_at_no_moment) {
  const auto chunks = std::make_unique<Chunk[]>(kSteps / 10);
  std::atomic<uint32_t> turn{0};
  std::thread neighbour([&] {
    for (uint32_t i = 0; i < kSteps / 10; ++i) {
      while (turn.load() <= i) {
      }
      chunks[i].mark_dirty(0, 7);
      static_cast<void>(chunks[i].give(0, 7));
    }
  });
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < kSteps / 10; ++i) {
    Chunk& chunk = chunks[i];
    chunk.mark_dirty(8, 7);
    BOOST_REQUIRE(chunk.give(8, 7));
    BOOST_REQUIRE(chunk.claim(8, 7));
    ++turn;
    uint32_t clean = 1;
    for (uint32_t look = 0; look < 100 || (clean != 0 && look < 1'000'000); ++look) {
      clean = chunk.clean_grains(7, 8);
      wrong += clean > 1 ? 1 : 0;
    }
  }
  neighbour.join();
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(each_grain_has_one_owner) {
  const auto chunk = std::make_unique<Chunk>();
  BOOST_REQUIRE(chunk->give(0, kGrainsPerChunk));
  std::vector<std::atomic<bool>> owned(kGrainsPerChunk);
  std::atomic<int> errors{0};
  std::atomic<uint32_t> claims{0};
  // relaxed here and below: the chunk orders these accesses; that is what is tested.
  const auto own = [&](uint32_t first, uint32_t grains, bool now) {
    for (uint32_t grain = first; grain < first + grains; ++grain) {
      errors += owned[grain].exchange(now, std::memory_order_relaxed) == now ? 1 : 0;
    }
  };
  const auto work = [&](uint32_t number) {
    struct Run {
      uint32_t first;
      uint32_t grains;
    };
    spillway::testing::Random random(number + 1);
    std::vector<Run> held;
    const auto give = [&](Run run) {
      own(run.first, run.grains, false);
      if (run.first % 2 == 0) {
        chunk->mark_dirty(run.first, run.grains);
      }
      errors += chunk->give(run.first, run.grains) ? 0 : 1;
    };
    for (uint32_t step = 0; step < kSteps; ++step) {
      const uint32_t grains = 8U << random() % 7;
      const uint32_t first = random() % (kGrainsPerChunk / 8) * 8;
      if (held.size() < 12 && first + grains <= kGrainsPerChunk && chunk->claim(first, grains)) {
        own(first, grains, true);
        held.push_back({first, grains});
        ++claims;
      } else if (!held.empty()) {
        const size_t at = random() % held.size();
        give(held[at]);
        held[at] = held.back();
        held.pop_back();
      }
      if (number == 0 && step % 64 == 0) {
        uint64_t pages[8];
        uint64_t undone[8] = {};
        chunk->claim_old(pages, Chunk::kPages, 1, step % 128 == 0, undone);
        for (uint32_t page = 0; page < Chunk::kPages; ++page) {
          if (((pages[page / 64] >> (page % 64)) & 1) != 0) {
            own(page * Chunk::kGrainsPerPage, Chunk::kGrainsPerPage, true);
            own(page * Chunk::kGrainsPerPage, Chunk::kGrainsPerPage, false);
          }
        }
        chunk->give_pages(pages, true);
        chunk->age_pages();
      }
    }
    for (const Run& run : held) {
      give(run);
    }
  };
  run_in_threads(work);
  BOOST_TEST(errors == 0);
  BOOST_TEST(claims > kSteps / 2);
  BOOST_TEST(chunk->claim(0, kGrainsPerChunk));
}

BOOST_AUTO_TEST_CASE(an_entry_that_was_made_last_is_found) {
  constexpr uint32_t kChunks = 3;
  constexpr uint32_t kWords = kChunks * Chunk::kWords;
  constexpr uint16_t kLengths[] = {8, 24, 100, 512, kGrainsPerChunk};
  constexpr uint32_t kBuckets = std::size(kLengths);
  std::vector<uint64_t> memory(RunIndex::bytes_needed(kChunks) / sizeof(uint64_t));
  const auto chunks = std::make_unique<Chunk[]>(kChunks);
  RunIndex index;
  index.attach(memory.data(), chunks.get(), kChunks, kLengths);
  // Each thread has words of its own, in chunks of all, and few of them, so that lists run empty.
  std::vector<std::vector<bool>> there(kBuckets, std::vector<bool>(kWords));
  std::vector<std::atomic<bool>> last(kBuckets * kWords);
  const auto work = [&](uint32_t number) {
    spillway::testing::Random random(number + 1);
    for (uint32_t step = 0; step < kSteps; ++step) {
      const uint32_t bucket = random() % kBuckets;
      const uint32_t word = random() % 12 * 16 + number;
      const bool add = random() % 2 == 0;
      add ? index.add(bucket, word) : index.remove(bucket, word);
      last[bucket * kWords + word].store(add, std::memory_order_relaxed);
      index.next({random() % kBuckets, random() % kWords});
    }
  };
  run_in_threads(work);
  for (RunIndex::Entry entry{0, 0}; (entry = index.next(entry)).bucket != RunIndex::kNone;
       ++entry.word) {
    there[entry.bucket][entry.word] = true;
  }
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    for (uint32_t word = 0; word < kWords; ++word) {
      BOOST_REQUIRE(there[bucket][word] == last[bucket * kWords + word]);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
