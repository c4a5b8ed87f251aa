// SPDX-License-Identifier: MIT
#include "alloc/core/page_notes.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "test/core/fixture.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

struct NotesFixture {
  ~NotesFixture() {
    notes->release();
    faulty::reset();
  }
  std::unique_ptr<PageNotes> notes = std::make_unique<PageNotes>();
};

BOOST_FIXTURE_TEST_SUITE(page_notes, NotesFixture)

BOOST_AUTO_TEST_CASE(a_word_a_page_and_none_of_its_neighbours) {
  constexpr size_t kOffsets[] = {0, kGranuleSize, 256 * kMiB - kGranuleSize, 256 * kMiB,
                                 1024 * kGiB - kGranuleSize};
  uint32_t note = 1;
  for (const size_t offset : kOffsets) {
    BOOST_TEST(notes->get(offset) == 0U);
    BOOST_REQUIRE(notes->set(offset + 64, note++));
  }
  note = 1;
  for (const size_t offset : kOffsets) {
    BOOST_TEST(notes->get(offset + kGranuleSize - 1) == note++);
  }
  BOOST_TEST(notes->get(2 * kGranuleSize) == 0U);
}

BOOST_AUTO_TEST_CASE(what_lies_behind_the_longest_arena_has_none) {
  BOOST_TEST(!notes->set(1024 * kGiB, 1));
  BOOST_TEST(notes->get(1024 * kGiB) == 0U);
}

BOOST_AUTO_TEST_CASE(memory_is_taken_where_a_word_is_written) {
  const uint64_t reserved = faulty::reserved_bytes();
  BOOST_TEST(notes->bytes() == 0U);
  BOOST_TEST(notes->get(kGiB) == 0U);
  BOOST_TEST(faulty::reserved_bytes() == reserved);
  BOOST_REQUIRE(notes->set(kGiB, 7));
  BOOST_REQUIRE(notes->set(kGiB + kGranuleSize, 8));
  BOOST_TEST(notes->bytes() == 256 * kKiB);
  BOOST_TEST(faulty::reserved_bytes() == reserved + 256 * kKiB);
  notes->release();
  BOOST_TEST(faulty::reserved_bytes() == reserved);
  BOOST_TEST(notes->get(kGiB) == 0U);
}

BOOST_AUTO_TEST_CASE(a_refusal_leaves_no_note) {
  faulty::fail(faulty::Call::kReserve, 0, 1);
  BOOST_TEST(!notes->set(kGiB, 7));
  BOOST_TEST(notes->get(kGiB) == 0U);
  BOOST_TEST(notes->set(kGiB, 7));
  BOOST_TEST(notes->get(kGiB) == 7U);
}

BOOST_AUTO_TEST_CASE(threads_that_need_a_piece_at_once_share_it) {
  const uint64_t reserved = faulty::reserved_bytes();
  constexpr uint32_t kThreads = 4;
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      for (++ready; ready != kThreads;) {
        std::this_thread::yield();
      }
      if (!notes->set(number * kGranuleSize, number + 1)) {
        std::abort();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (uint32_t number = 0; number < kThreads; ++number) {
    BOOST_TEST(notes->get(number * kGranuleSize) == number + 1);
  }
  BOOST_TEST(faulty::reserved_bytes() == reserved + notes->bytes());
}

// Threads hand watched blocks on through cells; each is freed once, with the note that it was
// given.
BOOST_AUTO_TEST_CASE(a_note_goes_with_its_block) {
  using testing::kTwelve;
  testing::EngineFixture<PageHeap> f;
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kCells = 8;
  constexpr uint32_t kRounds = 3000;
  std::atomic<void*> cells[kCells] = {};
  std::atomic<uint64_t> given{0};
  std::atomic<uint64_t> taken{0};
  std::atomic<uint32_t> wrong{0};
  const HeapArena& arena = f.engine.arena();
  const auto take = [&](ThreadState& thread_state, void* block) {
    if (block == nullptr) {
      return;
    }
    const size_t offset = arena.offset(block);
    wrong += arena.state_at(offset).replace(watched_state(offset), live_state(offset)) ? 0U : 1U;
    taken += notes->get(offset);
    f.free(thread_state, block);
  };
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      ThreadState thread_state = testing::new_state();
      f.engine.attach(thread_state);
      for (uint32_t round = 0; round < kRounds; ++round) {
        void* const block = f.allocate(thread_state, kTwelve);
        if (block != nullptr) {
          const size_t offset = arena.offset(block);
          wrong += notes->set(offset, round + number) ? 0U : 1U;
          given += round + number;
          arena.state_at(offset).store(watched_state(offset));
        }
        take(thread_state, cells[(round * 3 + number) % kCells].exchange(block));
      }
      f.engine.detach(thread_state);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  ThreadState thread_state = testing::new_state();
  for (std::atomic<void*>& cell : cells) {
    take(thread_state, cell.load());
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(given == taken);
  BOOST_TEST(given != 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
