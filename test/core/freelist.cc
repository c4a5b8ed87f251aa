// SPDX-License-Identifier: MIT
#include "alloc/core/freelist.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

namespace spillway::core {
namespace {

struct List {
  explicit List(uint32_t slots) : memory(Freelist::bytes_needed(slots) / sizeof(uint64_t)) {
    list.attach(memory.data(), slots);
  }
  std::vector<uint32_t> take(uint32_t wanted) {
    std::vector<SlotIndex> out(wanted);
    out.resize(list.take(hint, out.data(), wanted));
    std::vector<uint32_t> slots;
    std::transform(out.begin(), out.end(), std::back_inserter(slots),
                   [](SlotIndex slot) { return raw(slot); });
    return slots;
  }
  SlotIndex put(const std::vector<uint32_t>& slots) {
    std::vector<SlotIndex> in;
    std::transform(slots.begin(), slots.end(), std::back_inserter(in),
                   [](uint32_t slot) { return SlotIndex{slot}; });
    return list.put(hint, in.data(), static_cast<uint32_t>(in.size()));
  }
  std::vector<uint64_t> memory;
  Freelist list;
  uint32_t hint = 0;
};

BOOST_AUTO_TEST_SUITE(freelist)

BOOST_AUTO_TEST_CASE(what_a_lost_thread_put_in_without_telling_the_summary_is_found_after_repair) {
  List one(64 * 64 * 4);  // three levels; summaries come first
  one.put({70, 5000, 16000});
  constexpr size_t kSummaryWords = 1 + 4;
  std::fill_n(one.memory.begin(), kSummaryWords, 0);
  one.hint = 0;
  BOOST_TEST(one.take(3).empty());
  one.list.repair(16001);
  std::set<uint32_t> found;
  for (std::vector<uint32_t> some; !(some = one.take(3)).empty();) {
    found.insert(some.begin(), some.end());
  }
  BOOST_TEST((found == std::set<uint32_t>{70, 5000, 16000}));
}

BOOST_AUTO_TEST_CASE(slots_come_one_by_one_from_any_on) {
  List one(64 * 64);
  BOOST_TEST((one.list.next_slot(SlotIndex{0}) == Freelist::kNoSlot));
  one.put({1, 100, 101, 3000});
  BOOST_TEST((one.list.next_slot(SlotIndex{0}) == SlotIndex{1}));
  BOOST_TEST((one.list.next_slot(SlotIndex{2}) == SlotIndex{100}));
  BOOST_TEST((one.list.next_slot(SlotIndex{101}) == SlotIndex{101}));
  BOOST_TEST((one.list.next_slot(SlotIndex{102}) == SlotIndex{3000}));
  BOOST_TEST((one.list.next_slot(SlotIndex{3001}) == Freelist::kNoSlot));
  BOOST_TEST((one.list.next_slot(SlotIndex{64 * 64}) == Freelist::kNoSlot));
}

BOOST_AUTO_TEST_CASE(memory_is_a_bit_and_a_sixty_fourth_per_slot) {
  BOOST_TEST(Freelist::bytes_needed(1) == 8U);
  BOOST_TEST(Freelist::bytes_needed(64) == 8U);
  BOOST_TEST(Freelist::bytes_needed(65) == 8U * (2 + 1));
  BOOST_TEST(Freelist::bytes_needed(64 * 64 + 1) == 8U * (65 + 2 + 1));
}

BOOST_AUTO_TEST_CASE(starts_empty) {
  for (const uint32_t slots : {1U, 64U, 65U, 5000U, 300000U}) {
    List list(slots);
    BOOST_TEST(list.take(8).empty());
    BOOST_TEST(list.list.count(slots) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_slot_is_taken_by_its_number_once) {
  for (const uint32_t slots : {64U, 5000U, 300000U}) {
    List list(slots);
    list.put({7, 8, 60});
    BOOST_TEST(!list.list.take_slot(SlotIndex{9}));
    BOOST_TEST(list.list.take_slot(SlotIndex{8}));
    BOOST_TEST(!list.list.take_slot(SlotIndex{8}));
    std::vector<uint32_t> seen;
    list.list.for_each_slot([&seen](SlotIndex slot) { seen.push_back(raw(slot)); });
    BOOST_TEST(seen == (std::vector<uint32_t>{7, 60}), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_look_at_all_slots_notices_that_the_last_was_taken) {
  for (const uint32_t slots : {64U, 5000U, 300000U}) {
    List list(slots);
    list.put({40});
    BOOST_TEST(list.list.take_slot(SlotIndex{40}));
    list.put({40});  // the summary was not told of either
    BOOST_TEST(list.take(8) == (std::vector<uint32_t>{40}), boost::test_tools::per_element());
    list.put({40});
    BOOST_TEST(list.list.take_slot(SlotIndex{40}));
    for (int look = 0; look < 3; ++look) {  // a level each
      list.list.for_each_slot([](SlotIndex) { BOOST_ERROR("a slot that was taken"); });
    }
    BOOST_TEST(list.list.seems_empty());
  }
}

BOOST_AUTO_TEST_CASE(neighbours_come_back_together_lowest_first) {
  List list(5000);
  list.put({130, 128, 129, 140, 4999});
  list.hint = 2;
  BOOST_TEST(list.take(3) == (std::vector<uint32_t>{128, 129, 130}),
             boost::test_tools::per_element());
  BOOST_TEST(list.take(3) == (std::vector<uint32_t>{140, 4999}), boost::test_tools::per_element());
  BOOST_TEST(list.take(1).empty());
}

BOOST_AUTO_TEST_CASE(a_slot_far_away_is_found_from_anywhere) {
  constexpr uint32_t kSlots = 300000;  // three levels above the bits
  for (const uint32_t slot : {0U, 63U, 64U, 4095U, 4096U, 262143U, 262144U, kSlots - 1}) {
    for (const uint32_t start : {0U, 1U, 63U, 64U, 4000U}) {
      List list(kSlots);
      list.put({slot});
      list.hint = start;
      BOOST_TEST(list.take(4) == std::vector<uint32_t>{slot}, boost::test_tools::per_element());
      BOOST_TEST(list.take(1).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(every_slot_is_handed_out_once) {
  constexpr uint32_t kSlots = 20000;
  List list(kSlots);
  std::vector<uint32_t> all(kSlots);
  for (uint32_t i = 0; i < kSlots; ++i) {
    all[i] = (i * 7919) % kSlots;
  }
  for (uint32_t i = 0; i < kSlots; i += 100) {
    BOOST_REQUIRE(raw(list.put({all.begin() + i, all.begin() + i + 100})) ==
                  raw(Freelist::kNoSlot));
  }
  BOOST_TEST(list.list.count(kSlots) == kSlots);
  std::set<uint32_t> seen;
  for (std::vector<uint32_t> batch; !(batch = list.take(37)).empty();) {
    for (const uint32_t slot : batch) {
      BOOST_REQUIRE(seen.insert(slot).second);
    }
  }
  BOOST_TEST(seen.size() == kSlots);
}

BOOST_AUTO_TEST_CASE(a_slot_put_twice_is_reported_and_kept_once) {
  List list(5000);
  list.put({7, 70, 4000});
  BOOST_TEST(raw(list.put({8, 70})) == 70U);
  BOOST_TEST(raw(list.put({7})) == 7U);
  BOOST_TEST(raw(list.put({9, 200, 9})) == 9U);
  BOOST_TEST(list.list.count(5000) == 6U);
}

BOOST_AUTO_TEST_CASE(contains_tells_where_a_slot_is) {
  List list(100);
  BOOST_TEST(!list.list.contains(SlotIndex{64}));
  list.put({64});
  BOOST_TEST(list.list.contains(SlotIndex{64}));
  BOOST_TEST(!list.list.contains(SlotIndex{65}));
}

BOOST_AUTO_TEST_CASE(slots_of_many_words_in_one_batch) {
  List list(200000);
  std::vector<uint32_t> slots;
  for (uint32_t i = 0; i < 200; ++i) {
    slots.push_back(i * 977);
  }
  list.put(slots);
  BOOST_TEST(list.list.count(200000) == 200U);
}

BOOST_AUTO_TEST_CASE(words_are_found_and_moved_whole) {
  constexpr uint32_t kSlots = 20000;
  List from(kSlots);
  List to(kSlots);
  from.put({3, 5, 4096, 19999});
  std::vector<uint32_t> words;
  from.list.for_each_word([&](uint32_t word) {
    words.push_back(word);
    to.list.put_word(word, from.list.take_word(word));
  });
  BOOST_TEST(words == (std::vector<uint32_t>{0, 64, 312}), boost::test_tools::per_element());
  BOOST_TEST(from.list.count(kSlots) == 0U);
  BOOST_TEST(from.take(1).empty());
  BOOST_TEST(to.list.contains(SlotIndex{5}));
  BOOST_TEST(to.list.next_word(1) == 64U);
  BOOST_TEST(to.list.next_word(313) == Freelist::kNoWord);
  BOOST_TEST(to.take(8).size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_word_is_its_lowest_slots) {
  List list(5000);
  list.put({64, 66, 127});
  BOOST_TEST(list.list.take_word(1, 2) == 5U);
  BOOST_TEST(list.list.take_word(1, 2) == uint64_t{1} << 63);
  BOOST_TEST(list.list.take_word(1, 2) == 0U);
  BOOST_TEST(list.list.next_word(0) == Freelist::kNoWord);
}

BOOST_AUTO_TEST_CASE(a_list_of_one_word_is_moved_too) {
  List list(64);
  BOOST_TEST(list.list.next_word(0) == Freelist::kNoWord);
  list.list.put_word(0, 9);
  BOOST_TEST(list.list.next_word(0) == 0U);
  BOOST_TEST(list.list.next_word(1) == Freelist::kNoWord);
  BOOST_TEST(list.list.take_word(0) == 9U);
  BOOST_TEST(list.list.take_word(0) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
