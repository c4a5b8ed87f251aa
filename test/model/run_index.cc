// SPDX-License-Identifier: MIT
// Entries of the run index: what was added is found, whatever others clear meanwhile.
#include "alloc/core/run_index.h"

#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

struct IndexCase {
  static constexpr uint32_t kChunks = 2;
  static constexpr uint16_t kLengths[] = {8, 9, 16, kGrainsPerChunk};

  IndexCase() { index.attach(memory, chunks, kChunks, kLengths); }
  bool finds(uint32_t bucket, uint32_t word) {
    const RunIndex::Entry entry = index.next({bucket, word});
    return entry.bucket == bucket && entry.word == word;
  }
  // Leaves the bits above it behind.
  void leave_behind(uint32_t bucket, uint32_t word) {
    index.add(bucket, word);
    index.remove(bucket, word);
  }

  RunIndex index;
  Chunk chunks[kChunks] = {};
  alignas(8) char memory[4096] = {};
};

// An entry comes while another thread clears what an older one left behind.
template <uint32_t kWord>
struct AddMeetsRetire : IndexCase {
  AddMeetsRetire() { leave_behind(1, 3); }
  void thread(unsigned number) {
    if (number == 0) {
      index.add(1, kWord);
    } else {
      index.next({0, 0});
      index.next({0, 0});
    }
  }
  void finish() { require(finds(1, kWord), "an entry is not found"); }
};

// Two entries and two threads that look.
struct TwoAdds : IndexCase {
  TwoAdds() { leave_behind(2, 70); }
  void thread(unsigned number) {
    if (number == 2) {
      index.next({0, 0});
    } else {
      index.add(number == 0 ? 2 : 0, 70 + number);
    }
  }
  void finish() {
    require(finds(2, 70), "an entry is not found");
    require(finds(0, 71), "an entry is not found");
  }
};

// As the page heap does: the one gives a run, then makes its entry; the other meets the entry while
// there is no run, and removes it, then looks once more.
struct RunAndEntry : IndexCase {
  RunAndEntry() { index.add(0, 5); }
  bool has_run() const { return chunks[0].word(5) == 0xff; }
  void thread(unsigned number) {
    if (number == 0) {
      require(chunks[0].give(5 * Chunk::kBits, 8), "the grains were taken");
      index.add(0, 5);
    } else if (!has_run()) {
      index.remove(0, 5);
      if (has_run()) {
        index.add(0, 5);
      }
    }
  }
  void finish() { require(has_run() && finds(0, 5), "a run has no entry"); }
};

// A lost thread may have ended anywhere in an add or a look: repair() has all entries found.
struct Lost : IndexCase {
  Lost() { leave_behind(1, 3); }
  void thread(unsigned number) {
    if (number == 0) {
      index.add(1, 4);
      index.add(2, 80);
    } else if (number == 1) {
      index.next({0, 0});
    } else {
      model::lose_other_threads();
      index.repair(kChunks);
      const bool first = (chunks[0].starts[1].load(std::memory_order_relaxed) >> 4 & 1) != 0;
      const bool second = (chunks[1].starts[2].load(std::memory_order_relaxed) >> 16 & 1) != 0;
      require(!first || finds(1, 4), "an entry is not found");
      require(!second || finds(2, 80), "an entry is not found");
    }
  }
  void finish() {}
};

BOOST_AUTO_TEST_SUITE(run_index)

BOOST_AUTO_TEST_CASE(an_entry_meets_the_end_of_another) {
  explore<AddMeetsRetire<4>>("in one chunk", {.threads = 2, .older_loads = 2});
  explore<AddMeetsRetire<68>>("in two chunks", {.threads = 2, .older_loads = 2});
  explore<AddMeetsRetire<4>>("three threads", {.threads = 3, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(two_entries) {
  explore<TwoAdds>("two entries", {.threads = 3, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_run_and_its_entry) {
  explore<RunAndEntry>("run and entry", {.threads = 2, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(a_fork_at_any_step) {
  explore<Lost>("lost add", {.threads = 3, .preemptions = 2, .older_loads = 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
