// SPDX-License-Identifier: MIT
#include "alloc/core/chunk.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "test/random.h"

namespace spillway::core {
namespace {

constexpr uint32_t kPageGrains = Chunk::kGrainsPerPage;

// A chunk beside a list of the grains that are free, by which everything can be computed the long
// way. All grains are taken at first.
struct ChunkFixture {
  ChunkFixture() : chunk(std::make_unique<Chunk>()) {}

  void give(uint32_t first, uint32_t grains, bool dirty = true) {
    if (dirty) {
      chunk->mark_dirty(first, grains);
    }
    BOOST_REQUIRE(chunk->give(first, grains));
    std::fill_n(free.begin() + first, grains, true);
  }
  void give_all(bool dirty = true) { give(0, kGrainsPerChunk, dirty); }
  bool claim(uint32_t first, uint32_t grains) {
    const bool whole = std::all_of(free.begin() + first, free.begin() + first + grains,
                                   [](bool one) { return one; });
    const bool claimed = chunk->claim(first, grains);
    BOOST_REQUIRE(claimed == whole);
    if (claimed) {
      std::fill_n(free.begin() + first, grains, false);
    }
    return claimed;
  }
  void check() const {
    for (uint32_t grain = 0; grain < kGrainsPerChunk; ++grain) {
      BOOST_REQUIRE(is_free(grain) == free[grain]);
    }
  }
  bool is_free(uint32_t grain) const {
    return ((chunk->word(grain / Chunk::kBits) >> (grain % Chunk::kBits)) & 1) != 0;
  }
  // How many grains are free from the first on.
  uint32_t free_from(uint32_t first) const {
    uint32_t count = 0;
    while (first + count < kGrainsPerChunk && is_free(first + count)) {
      ++count;
    }
    return count;
  }

  // Lengths from one grain to the chunk's, as many of each magnitude.
  uint32_t random_length() {
    const uint32_t bits = random() % 13;
    return std::min<uint32_t>((1U << bits) + random() % (1U << bits), kGrainsPerChunk);
  }
  // Claims and gives at random; some hundred steps leave runs of all lengths.
  void shuffle(uint32_t steps) {
    for (uint32_t step = 0; step < steps; ++step) {
      const uint32_t grains = random_length();
      const uint32_t first = random() % (kGrainsPerChunk - grains + 1);
      if (random() % 2 == 0) {
        claim(first, grains);
        continue;
      }
      // What is taken of the stretch is given back, run by run.
      for (uint32_t at = first; at < first + grains;) {
        uint32_t length = 0;
        while (at + length < first + grains && !free[at + length]) {
          ++length;
        }
        if (length != 0) {
          give(at, length, random() % 2 == 0);
        }
        at += std::max(length, 1U);
      }
    }
  }

  std::unique_ptr<Chunk> chunk;  // zeroed
  std::vector<bool> free = std::vector<bool>(kGrainsPerChunk);
  spillway::testing::Random random{1};
};

bool equal(const Chunk::FreeGrains& one, uint32_t recent, uint32_t aged, uint32_t clean) {
  return one.recent == recent && one.aged == aged && one.clean == clean;
}

BOOST_FIXTURE_TEST_SUITE(chunk, ChunkFixture)

BOOST_AUTO_TEST_CASE(zeroed_memory_has_no_free_grain) {
  BOOST_TEST(!chunk->claim(0, 1));
  BOOST_TEST(equal(chunk->count(1), 0, 0, 0));
  check();
}

BOOST_AUTO_TEST_CASE(a_run_is_claimed_whole_or_not_at_all) {
  give(60, 200);
  BOOST_TEST(!claim(59, 100));
  BOOST_TEST(!claim(200, 61));  // its last grain is taken
  check();
  BOOST_TEST(claim(130, 1));
  BOOST_TEST(!claim(60, 200));
  check();
  BOOST_TEST(claim(131, 129));
  BOOST_TEST(claim(60, 70));
  check();
}

BOOST_AUTO_TEST_CASE(whatever_is_claimed_and_given_the_rest_stays_as_it_is) {
  for (uint32_t round = 0; round < 20; ++round) {
    shuffle(40);
    check();
  }
}

BOOST_AUTO_TEST_CASE(a_grain_given_twice_is_told_and_free_once) {
  give(100, 10);
  BOOST_TEST(!chunk->give(109, 60));
  BOOST_TEST(free_from(100) == 69U);
  BOOST_TEST(!chunk->give(100, 1));
  BOOST_TEST(chunk->claim(100, 69));
  BOOST_TEST(!chunk->claim(100, 1));
}

BOOST_AUTO_TEST_CASE(grains_are_clean_until_a_dirty_run_was_on_their_page) {
  give_all(false);
  BOOST_TEST(equal(chunk->count(1), 0, 0, kGrainsPerChunk));
  BOOST_REQUIRE(claim(20, 10));
  BOOST_TEST(chunk->clean_grains(20, 10) == 10U);
  give(20, 10);  // on pages 2 and 3
  BOOST_TEST(!chunk->is_clean_page(2));
  BOOST_TEST(!chunk->is_clean_page(3));
  BOOST_TEST(chunk->is_clean_page(1));
  BOOST_TEST(chunk->is_clean_page(4));
  BOOST_TEST(equal(chunk->count(1), 2 * kPageGrains, 0, kGrainsPerChunk - 2 * kPageGrains));
  BOOST_REQUIRE(claim(0, 100));
  BOOST_TEST(chunk->clean_grains(0, 100) == 84U);
  BOOST_TEST(chunk->clean_grains(16, 16) == 0U);
  BOOST_TEST(chunk->clean_grains(12, 8) == 4U);
  BOOST_TEST(chunk->clean_grains(30, 5) == 3U);
  BOOST_TEST(chunk->clean_grains(33, 3) == 3U);
  give(0, 100, false);
  BOOST_TEST(!chunk->is_clean_page(2));  // what was dirty stays so
  BOOST_TEST(chunk->is_clean_page(0));
}

BOOST_AUTO_TEST_CASE(clean_grains_are_counted_across_words_of_pages) {
  give_all(false);
  BOOST_REQUIRE(claim(510, 4));
  give(510, 4);  // pages 63 and 64
  BOOST_REQUIRE(claim(0, kGrainsPerChunk));
  BOOST_TEST(chunk->clean_grains(0, kGrainsPerChunk) == kGrainsPerChunk - 2 * kPageGrains);
  BOOST_TEST(chunk->clean_grains(500, 40) == 24U);
}

BOOST_AUTO_TEST_CASE(a_page_that_gets_dirty_has_all_its_grains_dirty) {
  give(0, 3, false);
  BOOST_TEST(chunk->mark_dirty(3, 3) == 3U);  // grains 6 and 7 are taken
  BOOST_TEST(chunk->mark_dirty(3, 3) == 0U);  // no news
  give(3, 3);
  give(16, 4, false);
  give(42, 4, false);
  BOOST_TEST(chunk->mark_dirty(20, 22) == 8U);  // pages 2 to 5
  give(20, 22);
  give(1000, 24, false);
  BOOST_TEST(chunk->mark_dirty(512 - 1, 1) == 0U);  // its neighbours are taken
  BOOST_REQUIRE(claim(1004, 2));
  BOOST_TEST(chunk->mark_dirty(1004, 2) == 6U);
}

BOOST_AUTO_TEST_CASE(full_words_are_counted_up_to_the_first_other) {
  give(64, 64 * 9 + 1);
  BOOST_TEST(chunk->full_words(0, Chunk::kWords) == 0U);
  BOOST_TEST(chunk->full_words(1, Chunk::kWords) == 9U);
  BOOST_TEST(chunk->full_words(3, Chunk::kWords) == 7U);
  BOOST_TEST(chunk->full_words(1, 6) == 5U);
  BOOST_TEST(chunk->full_words(10, Chunk::kWords) == 0U);
  BOOST_TEST(chunk->full_words(Chunk::kWords, Chunk::kWords) == 0U);
  give(640 + 1, kGrainsPerChunk - 641);
  BOOST_TEST(chunk->full_words(1, Chunk::kWords) == Chunk::kWords - 1);
}

BOOST_AUTO_TEST_CASE(pages_that_can_go_are_the_whole_free_ones_that_are_old) {
  BOOST_TEST(chunk->old_pages(1) == 0U);
  give(4, 20);  // pages 1 and 2, and half of page 0
  give(800, 16, false);
  BOOST_TEST(chunk->old_pages(1) == 2U);
  chunk->age_pages();
  give(400, 8);
  BOOST_TEST(chunk->old_pages(1) == 3U);
  for (uint32_t round = 0; round < 20; ++round) {
    shuffle(40);
    const Chunk::FreeGrains count = chunk->count(1);
    BOOST_TEST(chunk->old_pages(1) * kPageGrains == count.recent + count.aged - count.part);
  }
}

BOOST_AUTO_TEST_CASE(what_was_freed_before_a_look_is_aged_after_it) {
  give(0, 16);
  give(64, 16, false);
  BOOST_TEST(equal(chunk->count(1), 16, 0, 16));
  chunk->age_pages();
  BOOST_TEST(equal(chunk->count(1), 0, 16, 16));
  give(800, 16);
  BOOST_TEST(equal(chunk->count(1), 16, 16, 16));
  BOOST_REQUIRE(claim(4, 4));
  BOOST_TEST(equal(chunk->count(1), 16, 12, 16));
  give(4, 4);  // page 0 is recent again
  BOOST_TEST(equal(chunk->count(1), 24, 8, 16));
  chunk->age_pages();
  BOOST_TEST(equal(chunk->count(1), 0, 32, 16));
}

struct OldPages : ChunkFixture {
  uint32_t claim_old(uint32_t most, uint32_t unit, bool recent_too = false) {
    std::fill(std::begin(pages), std::end(pages), ~uint64_t{0});  // what was there does not matter
    uint64_t undone[8] = {};
    const uint32_t claimed = chunk->claim_old(pages, most, unit, recent_too, undone);
    for (const uint64_t word : undone) {
      BOOST_TEST(word == 0U);  // no other thread took a part
    }
    uint32_t bits = 0;
    for (uint32_t page = 0; page < Chunk::kPages; ++page) {
      bits += has(page) ? 1U : 0U;
      if (has(page)) {
        BOOST_REQUIRE(free_from(page * kPageGrains) == 0U);
        BOOST_REQUIRE(has(page / unit * unit));
        BOOST_REQUIRE(has(page / unit * unit + unit - 1));
      }
    }
    BOOST_REQUIRE(bits == claimed);
    return claimed;
  }
  bool has(uint32_t page) const { return ((pages[page / 64] >> (page % 64)) & 1) != 0; }

  uint64_t pages[8];
};

BOOST_FIXTURE_TEST_CASE(old_pages_are_whole_aged_ones, OldPages) {
  give(4, 20);  // pages 1 and 2, and half of page 0
  give(800, 16, false);
  BOOST_TEST(claim_old(Chunk::kPages, 1) == 0U);  // recent
  chunk->age_pages();
  give(400, 8);
  BOOST_TEST(claim_old(Chunk::kPages, 1) == 2U);
  BOOST_TEST(has(1));
  BOOST_TEST(has(2));
  BOOST_TEST(chunk->give_pages(pages, true) == 2U);
  BOOST_TEST(equal(chunk->count(1), 8, 4, 32));
  BOOST_TEST(free_from(4) == 20U);
  BOOST_TEST(claim_old(Chunk::kPages, 1) == 0U);
  BOOST_TEST(claim_old(Chunk::kPages, 1, true) == 1U);
  BOOST_TEST(has(50));
}

BOOST_FIXTURE_TEST_CASE(pages_that_were_not_purged_are_as_old_as_before, OldPages) {
  give(0, 32);
  chunk->age_pages();
  give(64, 16);
  BOOST_TEST(claim_old(Chunk::kPages, 1, true) == 6U);
  BOOST_TEST(equal(chunk->count(1), 0, 0, 0));
  BOOST_TEST(chunk->give_pages(pages, false) == 0U);
  BOOST_TEST(equal(chunk->count(1), 16, 32, 0));
}

BOOST_FIXTURE_TEST_CASE(no_more_old_pages_are_claimed_than_wanted, OldPages) {
  give_all();
  chunk->age_pages();
  uint32_t left = Chunk::kPages;
  for (const uint32_t most : {1U, 63U, 64U, 65U, 100U}) {
    BOOST_TEST(claim_old(most, 1) == most);
    left -= most;
    BOOST_TEST(chunk->count(1).aged == left * kPageGrains);
  }
  BOOST_TEST(claim_old(Chunk::kPages, 1) == left);
  BOOST_TEST(claim_old(0, 1) == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_highest_old_pages_are_claimed_first, OldPages) {
  give_all();
  chunk->age_pages();
  BOOST_TEST(claim_old(70, 1) == 70U);
  BOOST_TEST(!has(Chunk::kPages - 71));
  BOOST_TEST(has(Chunk::kPages - 70));
  chunk->give_pages(pages, true);
  BOOST_TEST(claim_old(8, 4) == 8U);
  BOOST_TEST(has(Chunk::kPages - 69));  // clean, and in a unit with two that are not
  BOOST_TEST(has(Chunk::kPages - 76));
}

BOOST_FIXTURE_TEST_CASE(pages_come_in_units_of_the_kernels, OldPages) {
  give(0, 6 * kPageGrains);                 // pages 0 to 5
  give(17 * kPageGrains, 3 * kPageGrains);  // 17 to 19
  give(62 * kPageGrains, 7 * kPageGrains);  // 62 to 68
  chunk->age_pages();
  BOOST_TEST(claim_old(Chunk::kPages, 4) == 8U);
  BOOST_TEST(has(0));
  BOOST_TEST(has(64));
  chunk->give_pages(pages, false);
  BOOST_TEST(claim_old(5, 4) == 4U);
  BOOST_TEST(has(64));
  BOOST_TEST(claim_old(7, 4) == 4U);
  BOOST_TEST(claim_old(3, 4) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_unit_goes_with_pages_in_it_that_are_clean, OldPages) {
  give(0, 8 * kPageGrains, false);
  BOOST_REQUIRE(claim(kPageGrains, 1));
  give(kPageGrains, 1);  // page 1
  chunk->age_pages();
  BOOST_TEST(claim_old(Chunk::kPages, 4) == 4U);
  BOOST_TEST(has(0));
  BOOST_TEST(!has(4));
}

BOOST_FIXTURE_TEST_CASE(pages_of_units_in_use_are_parts, OldPages) {
  give(0, 6 * kPageGrains);  // a unit of 4 pages, and half of the next
  BOOST_TEST(chunk->old_pages(1) == 6U);
  BOOST_TEST(chunk->count(1).part == 0U);
  BOOST_TEST(chunk->old_pages(4) == 4U);
  BOOST_TEST(chunk->count(4).part == 2 * kPageGrains);
  BOOST_TEST(chunk->old_pages(16) == 0U);
  BOOST_TEST(chunk->count(16).part == 6 * kPageGrains);
}

BOOST_FIXTURE_TEST_CASE(a_unit_with_a_recent_page_is_recent, OldPages) {
  give(0, 8 * kPageGrains);
  chunk->age_pages();
  BOOST_REQUIRE(claim(2 * kPageGrains, 1));
  give(2 * kPageGrains, 1);
  BOOST_TEST(claim_old(Chunk::kPages, 4) == 4U);
  BOOST_TEST(has(4));
  BOOST_TEST(claim_old(Chunk::kPages, 4, true) == 4U);
  BOOST_TEST(has(0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
