// SPDX-License-Identifier: MIT
// The grains of one chunk: a run is one thread's, what is called clean reads as zero, and no grain
// is lost.
#include "alloc/core/chunk.h"

#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

// Grains of which each has contents, which only its owner writes to. A block is a run of them.
struct ChunkCase {
  static constexpr uint32_t kGrains = 128;

  // From the start on these grains are free, after they were written to, if they are not clean.
  void start_free(uint32_t first, uint32_t grains, bool dirty) {
    for (uint32_t i = first; i < first + grains; ++i) {
      contents[i] = dirty ? 1 : 0;
    }
    if (dirty) {
      chunk.mark_dirty(first, grains);
    }
    require(chunk.give(first, grains), "a grain is free once");
    free_at_start += grains;
  }
  bool claim(uint32_t first, uint32_t grains) {
    if (!chunk.claim(first, grains)) {
      return false;
    }
    const bool clean = chunk.clean_grains(first, grains) == grains;
    for (uint32_t i = first; i < first + grains; ++i) {
      require(owners[i]++ == 0, "a grain has two owners");
      require(!clean || contents[i] == 0, "a grain was called clean and is not zero");
      contents[i] = 1;
    }
    return true;
  }
  void give(uint32_t first, uint32_t grains) {
    for (uint32_t i = first; i < first + grains; ++i) {
      contents[i] = 2;
      --owners[i];
    }
    chunk.mark_dirty(first, grains);
    require(chunk.give(first, grains), "a grain was free already");
  }
  // What the scavenger does with the pages that can go.
  void purge(bool recent_too) {
    uint64_t pages[8] = {};
    uint64_t undone[8] = {};
    chunk.claim_old(pages, 8, 1, recent_too, undone);
    for (uint32_t page = 0; page < kGrains / Chunk::kGrainsPerPage; ++page) {
      if ((pages[0] >> page & 1) != 0) {
        for (uint32_t i = 0; i < Chunk::kGrainsPerPage; ++i) {
          contents[page * Chunk::kGrainsPerPage + i] = 0;
        }
      }
    }
    chunk.give_pages(pages, true);
  }
  void finish() {
    uint32_t owned = 0;
    uint32_t free = 0;
    for (uint32_t i = 0; i < kGrains; ++i) {
      owned += owners[i];
      const bool is_free = (chunk.word(i / Chunk::kBits) >> i % Chunk::kBits & 1) != 0;
      free += is_free ? 1 : 0;
      require(!is_free || owners[i] == 0, "a grain is free and has an owner");
      require(!is_free || contents[i] == 0 || !chunk.is_clean_page(i / Chunk::kGrainsPerPage),
              "a free grain is not zero on a page that is called clean");
    }
    require(owned + free == free_at_start, "a grain is lost");
  }

  Chunk chunk{};
  uint32_t contents[kGrains] = {};
  uint32_t owners[kGrains] = {};
  uint32_t free_at_start = 0;
};

// Three runs that share words; the one in the middle reaches across two.
struct Overlap : ChunkCase {
  Overlap() { start_free(56, 16, false); }
  void thread(unsigned number) {
    const uint32_t first = number == 0 ? 56 : number == 1 ? 60 : 66;
    const uint32_t grains = number == 0 ? 6 : number == 1 ? 8 : 6;
    if (claim(first, grains)) {
      give(first, grains);
    }
  }
};

// Two runs with a page in common. The one's owner gives it back; the other is taken, and was
// written to before.
struct SharedPage : ChunkCase {
  SharedPage() {
    start_free(0, 4, true);
    start_free(4, 8, true);
    claim(0, 4);
  }
  void thread(unsigned number) {
    if (number == 0) {
      give(0, 4);
    } else if (number == 1) {
      purge(true);
    } else {
      claim(4, 8);
    }
  }
};

// Neither page was ever written to but by the neighbour.
struct CleanEdge : ChunkCase {
  CleanEdge() {
    start_free(0, 4, false);
    start_free(4, 12, true);
    claim(0, 4);
    purge(true);  // page 1 only
  }
  void thread(unsigned number) {
    if (number == 0) {
      give(0, 4);
    } else {
      purge(true);
      claim(8, 8);
    }
  }
};

// Pages get aged while they are freed and purged.
struct Ageing : ChunkCase {
  Ageing() {
    start_free(0, 8, true);
    start_free(8, 8, false);
  }
  void thread(unsigned number) {
    if (number == 0) {
      chunk.age_pages();
      purge(false);
    } else {
      if (claim(4, 8)) {
        give(4, 8);
      }
      claim(0, 8);
    }
  }
};

// At each moment while pages aged down they are dirty: a thread that takes one is not told that it
// is clean.
struct AgeAndTake : ChunkCase {
  AgeAndTake() { start_free(0, 16, true); }
  void thread(unsigned number) {
    if (number == 0) {
      chunk.age_pages();
      chunk.age_pages();
    } else {
      claim(8 * (number - 1), 8);
    }
  }
};

BOOST_AUTO_TEST_SUITE(chunk)

BOOST_AUTO_TEST_CASE(runs_that_overlap) {
  explore<Overlap>("overlap", {.threads = 3, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(runs_that_share_a_page) {
  explore<SharedPage>("shared page", {.threads = 3, .preemptions = 2, .older_loads = 1});
  explore<CleanEdge>("clean edge", {.threads = 2, .preemptions = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(pages_that_age_pages) {
  explore<Ageing>("ageing", {.threads = 2, .preemptions = 3, .older_loads = 1});
  explore<AgeAndTake>("aged and take", {.threads = 2, .preemptions = 3, .older_loads = 3});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
