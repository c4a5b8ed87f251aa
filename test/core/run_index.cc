// SPDX-License-Identifier: MIT
#include "alloc/core/run_index.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

namespace spillway::core {
namespace {

constexpr uint32_t kChunks = 100;
constexpr std::array<uint16_t, 5> kLengths = {8, 9, 24, 512, kGrainsPerChunk};

struct IndexFixture {
  IndexFixture() { index->attach(memory.data(), chunks.get(), kChunks, kLengths); }

  // The words of all entries from one on, in order; those of each bucket behind a multiple of 10^6.
  std::vector<uint32_t> entries_from(uint32_t bucket, uint32_t word = 0) {
    std::vector<uint32_t> found;
    RunIndex::Entry entry{bucket, word};
    while ((entry = index->next(entry)).bucket != RunIndex::kNone) {
      found.push_back(entry.bucket * 1'000'000 + entry.word);
      ++entry.word;
      BOOST_REQUIRE(found.size() <= 1000U);
    }
    return found;
  }
  // An index that knows only what stands in the chunks, as if the threads that made its entries had
  // been lost in the middle.
  void lose_all_but_the_chunks() {
    std::fill(memory.begin(), memory.end(), 0);
    lose_all_but_the_lists();
  }
  void lose_all_but_the_lists() {
    index = std::make_unique<RunIndex>();
    index->attach(memory.data(), chunks.get(), kChunks, kLengths);
  }

  std::unique_ptr<Chunk[]> chunks = std::make_unique<Chunk[]>(kChunks);
  std::vector<uint64_t> memory =
      std::vector<uint64_t>(RunIndex::bytes_needed(kChunks) / sizeof(uint64_t));
  std::unique_ptr<RunIndex> index = std::make_unique<RunIndex>();
};

using Entries = std::vector<uint32_t>;

BOOST_FIXTURE_TEST_SUITE(run_index, IndexFixture)

BOOST_AUTO_TEST_CASE(a_run_belongs_to_the_bucket_of_its_length) {
  BOOST_TEST(index->bucket_count() == kLengths.size());
  BOOST_TEST(index->min_length() == 8U);
  BOOST_TEST(index->bucket_of(8) == 0U);
  BOOST_TEST(index->bucket_of(9) == 1U);
  BOOST_TEST(index->bucket_of(23) == 1U);
  BOOST_TEST(index->bucket_of(24) == 2U);
  BOOST_TEST(index->bucket_of(512) == 3U);
  BOOST_TEST(index->bucket_of(kGrainsPerChunk - 1) == 3U);
  BOOST_TEST(index->bucket_of(kGrainsPerChunk) == 4U);
  BOOST_TEST(index->bucket_of(100 * kGrainsPerChunk) == 4U);
}

BOOST_AUTO_TEST_CASE(a_request_starts_where_every_run_is_long_enough) {
  BOOST_TEST(index->bucket_for(1) == 0U);
  BOOST_TEST(index->bucket_for(8) == 0U);
  BOOST_TEST(index->bucket_for(9) == 1U);
  BOOST_TEST(index->bucket_for(10) == 2U);
  BOOST_TEST(index->bucket_for(24) == 2U);
  BOOST_TEST(index->bucket_for(25) == 3U);
  BOOST_TEST(index->bucket_for(512) == 3U);
  BOOST_TEST(index->bucket_for(513) == 4U);
  BOOST_TEST(index->bucket_for(kGrainsPerChunk) == 4U);
  BOOST_TEST(index->bucket_for(10 * kGrainsPerChunk) == 4U);
}

BOOST_AUTO_TEST_CASE(there_is_no_entry_at_first) { BOOST_TEST(entries_from(0).empty()); }

BOOST_AUTO_TEST_CASE(entries_come_by_buckets_and_words) {
  index->add(2, 700);
  index->add(0, 64);
  index->add(2, 5);
  index->add(0, 63);
  index->add(2, 701);
  index->add(4, kChunks * Chunk::kWords - 1);
  BOOST_TEST((entries_from(0) == Entries{63, 64, 2'000'005, 2'000'700, 2'000'701, 4'006'399}));
  BOOST_TEST((entries_from(0, 64) == Entries{64, 2'000'005, 2'000'700, 2'000'701, 4'006'399}));
  BOOST_TEST((entries_from(1) == Entries{2'000'005, 2'000'700, 2'000'701, 4'006'399}));
  BOOST_TEST((entries_from(2, 6) == Entries{2'000'700, 2'000'701, 4'006'399}));
  BOOST_TEST((entries_from(2, 701) == Entries{2'000'701, 4'006'399}));
  BOOST_TEST((entries_from(2, 702) == Entries{4'006'399}));
  BOOST_TEST((entries_from(3) == Entries{4'006'399}));
}

BOOST_AUTO_TEST_CASE(an_entry_is_there_once_and_gone_when_removed) {
  index->add(1, 100);
  index->add(1, 100);
  BOOST_TEST((entries_from(0) == Entries{1'000'100}));
  index->add(1, 101);
  index->remove(1, 100);
  BOOST_TEST((entries_from(0) == Entries{1'000'101}));
  index->remove(1, 100);
  index->remove(1, 101);
  BOOST_TEST(entries_from(0).empty());
  index->add(1, 100);
  BOOST_TEST((entries_from(0) == Entries{1'000'100}));
}

BOOST_AUTO_TEST_CASE(buckets_know_nothing_of_each_other) {
  index->add(1, 100);
  index->add(3, 100);
  index->remove(1, 100);
  BOOST_TEST((entries_from(0) == Entries{3'000'100}));
}

BOOST_AUTO_TEST_CASE(the_quick_way_finds_the_first_entry_past_what_is_left_of_others) {
  BOOST_TEST(index->next_quickly(0).bucket == RunIndex::kNone);
  index->add(1, 100);  // chunk 1
  index->add(1, 700);  // chunk 10
  index->add(3, 64);
  BOOST_TEST(index->is_small());
  const auto found = [&](uint32_t bucket, uint32_t word, RunIndex::Entry entry) {
    return entry.bucket == bucket && entry.word == word;
  };
  BOOST_TEST(found(1, 100, index->next_quickly(0)));
  index->remove(1, 100);  // the bit above it stays
  BOOST_TEST(found(1, 700, index->next_quickly(0)));
  index->remove(1, 700);
  BOOST_TEST(found(3, 64, index->next_quickly(0)));
  BOOST_TEST(found(3, 64, index->next_quickly(2)));
  BOOST_TEST(index->next_quickly(4).bucket == RunIndex::kNone);
  // In so many chunks it is no longer the quick way: nothing is found that is not there.
  for (uint32_t chunk = 0; chunk < 60; ++chunk) {
    index->add(2, chunk * Chunk::kWords);
    index->remove(2, chunk * Chunk::kWords);
  }
  const RunIndex::Entry past = index->next_quickly(2);
  BOOST_TEST((past.bucket == RunIndex::kNone || found(3, 64, past)));
  BOOST_TEST((entries_from(0) == Entries{3'000'064}));
  BOOST_TEST(found(3, 64, index->next_quickly(0)));  // what was left is gone
}

BOOST_AUTO_TEST_CASE(a_heap_of_many_chunks_is_not_small) {
  index->add(0, 63 * Chunk::kWords);
  BOOST_TEST(index->is_small());
  index->add(0, 64 * Chunk::kWords);
  BOOST_TEST(!index->is_small());
}

BOOST_AUTO_TEST_CASE(what_a_lost_thread_left_undone_is_there_after_repair) {
  for (const bool listed : {false, true}) {
    index->add(1, 100);
    index->add(3, 6000);
    if (listed) {
      lose_all_but_the_lists();
    } else {
      lose_all_but_the_chunks();
    }
    BOOST_TEST(entries_from(0).empty());
    index->repair(kChunks);
    BOOST_TEST((entries_from(0) == Entries{1'000'100, 3'006'000}));
  }
}

BOOST_AUTO_TEST_CASE(all_buckets_that_there_may_be_work) {
  std::vector<uint16_t> lengths;
  for (uint32_t i = 0; i + 1 < Chunk::kMaxBuckets; ++i) {
    lengths.push_back(static_cast<uint16_t>(8 + i));
  }
  lengths.push_back(kGrainsPerChunk);
  std::fill(memory.begin(), memory.end(), 0);
  RunIndex many;
  many.attach(memory.data(), chunks.get(), kChunks, lengths);
  for (uint32_t bucket = 0; bucket < Chunk::kMaxBuckets; ++bucket) {
    BOOST_REQUIRE(many.bucket_of(lengths[bucket]) == bucket);
    BOOST_REQUIRE(many.bucket_for(lengths[bucket]) == bucket);
    many.add(bucket, bucket * 7);
  }
  RunIndex::Entry entry{0, 0};
  for (uint32_t bucket = 0; bucket < Chunk::kMaxBuckets; ++bucket, ++entry.word) {
    entry = many.next(entry);
    BOOST_REQUIRE(entry.bucket == bucket);
    BOOST_REQUIRE(entry.word == bucket * 7);
  }
  BOOST_TEST(many.next(entry).bucket == RunIndex::kNone);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
