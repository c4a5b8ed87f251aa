#include "alloc/core/groups.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "alloc/core/freelist.h"

namespace spillway::core {
namespace {

constexpr uint32_t kSlotsPerWord = GroupLayout::kSlotsPerWord;
constexpr uint32_t kStatesPerLine = GroupLayout::kStatesPerLine;

struct Grouped {
  Grouped(uint32_t stride, uint32_t slots)
      : layout(stride), memory(Groups::bytes_needed(layout, slots) / sizeof(Holder) + 1) {
    groups.attach(memory.data(), layout);
  }
  GroupLayout layout;
  std::vector<Holder> memory;
  Groups groups;
};

BOOST_AUTO_TEST_SUITE(groups)

BOOST_AUTO_TEST_CASE(groups_part_a_word_along_the_lines_of_the_state_bytes) {
  for (uint32_t stride = 1; stride < kStatesPerLine; ++stride) {
    const GroupLayout layout(stride);
    BOOST_REQUIRE(layout.matters());
    uint64_t seen = 0;
    for (uint32_t group = 0; group < layout.groups_per_word(); ++group) {
      const uint64_t bits = layout.bits(group);
      BOOST_REQUIRE(bits != 0U);
      BOOST_REQUIRE((seen & bits) == 0U);
      seen |= bits;
      for (uint32_t slot = 0; slot < kSlotsPerWord; ++slot) {
        const bool inside = (bits >> slot & 1) != 0;
        BOOST_REQUIRE(inside == (slot * stride / kStatesPerLine == group));
        BOOST_REQUIRE(inside == (layout.group_of(slot) == group));
      }
    }
    BOOST_REQUIRE(seen == ~uint64_t{0});
  }
}

BOOST_AUTO_TEST_CASE(first_slots_are_the_first_in_all_words) {
  for (uint32_t stride = 1; stride < kStatesPerLine; ++stride) {
    const GroupLayout layout(stride);
    for (uint32_t group = 1; group < 300; ++group) {
      const uint32_t first = layout.first_slot(group);
      BOOST_REQUIRE(layout.group_of(first) == group);
      BOOST_REQUIRE(layout.group_of(first - 1) == group - 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(slots_with_lines_of_their_own_need_no_groups) {
  for (const uint32_t stride : {64U, 65U, 257U}) {
    Grouped wide(stride, 1000);
    BOOST_TEST(!wide.layout.matters());
    BOOST_TEST(Groups::bytes_needed(wide.layout, 1000) == 0U);
    wide.groups.settle(0, 6, 1);
    wide.groups.settle_run(SlotIndex{100}, 100, 2);
    BOOST_TEST(wide.groups.private_part(0, 7, 3) == 7U);
  }
}

BOOST_AUTO_TEST_CASE(a_group_is_private_when_it_is_wholly_free_or_ones_own) {
  Grouped sixteen(4, 256);  // 16 slots a group
  Groups& groups = sixteen.groups;
  constexpr uint64_t kFirst = 0xffff;
  constexpr uint64_t kSecond = kFirst << 16;
  BOOST_TEST(groups.private_part(1, kFirst | kSecond, 7) == (kFirst | kSecond));
  BOOST_TEST(groups.private_part(1, kFirst | 1 << 16, 7) == kFirst);
  BOOST_TEST(groups.private_part(1, 0x7fff, 7) == 0U);
  groups.settle(1, 1, 7);
  BOOST_TEST(groups.private_part(1, 0x7ffe, 7) == 0x7ffeU);
  BOOST_TEST(groups.private_part(1, 0x7ffe, 8) == 0U);
  BOOST_TEST(groups.private_part(1, kFirst, 8) == kFirst);
  BOOST_TEST(groups.private_part(0, 0x7ffe, 7) == 0U);  // another word
  groups.settle(1, kSecond | 1, 8);
  BOOST_TEST(groups.private_part(1, 0x7ffe | 1 << 17, 8) == (0x7ffeU | 1 << 17));
  BOOST_TEST(groups.private_part(1, 0x7ffe | 1 << 17, 7) == 0U);
}

BOOST_AUTO_TEST_CASE(a_run_is_settled_across_words) {
  Grouped sixteen(4, 256);
  sixteen.groups.settle_run(SlotIndex{60}, 8, 5);
  constexpr uint64_t kLast = uint64_t{1} << 63;
  BOOST_TEST(sixteen.groups.private_part(0, kLast, 5) == kLast);
  BOOST_TEST(sixteen.groups.private_part(1, 1, 5) == 1U);
  BOOST_TEST(sixteen.groups.private_part(0, 1, 5) == 0U);
  BOOST_TEST(sixteen.groups.private_part(1, 1 << 16, 5) == 0U);
}

BOOST_AUTO_TEST_CASE(two_takers_share_no_line_while_there_are_full_groups) {
  for (const uint32_t stride : {1U, 3U, 4U, 5U, 24U, 33U, 63U}) {
    constexpr uint32_t kSlots = 16 * kSlotsPerWord;  // as many words as one take looks into
    Grouped grouped(stride, kSlots);
    std::vector<uint64_t> memory(Freelist::bytes_needed(kSlots) / sizeof(uint64_t));
    Freelist list;
    list.attach(memory.data(), kSlots);
    list.for_each_word([](uint32_t) { BOOST_ERROR("not empty"); });
    for (uint32_t word = 0; word < list.words(); ++word) {
      list.put_word(word, ~uint64_t{0});
    }
    uint32_t hints[2] = {0, 0};
    std::set<uint32_t> lines[2];
    uint32_t taken = 0;
    for (uint32_t turn = 0, misses = 0; misses < 2; ++turn) {
      const uint32_t who = turn % 2;
      SlotIndex out[3];
      const uint32_t count =
          list.take_private(hints[who], out, 3, grouped.groups, static_cast<Holder>(who + 1));
      misses = count == 0 ? misses + 1 : 0;
      for (uint32_t i = 0; i < count; ++i) {
        lines[who].insert(raw(out[i]) * stride / kStatesPerLine);
      }
      taken += count;
    }
    BOOST_TEST(taken == kSlots);
    for (const uint32_t line : lines[0]) {
      BOOST_REQUIRE(lines[1].count(line) == 0U);
    }
    BOOST_TEST(!lines[1].empty());
  }
}

BOOST_AUTO_TEST_CASE(what_others_hold_is_left_to_the_ordinary_take) {
  Grouped sixteen(4, 64);
  std::vector<uint64_t> memory(Freelist::bytes_needed(64) / sizeof(uint64_t));
  Freelist list;
  list.attach(memory.data(), 64);
  list.put_word(0, 0xffff);
  uint32_t hint = 0;
  SlotIndex out[16];
  BOOST_TEST(list.take_private(hint, out, 4, sixteen.groups, 1) == 4U);
  BOOST_TEST(list.take_private(hint, out, 4, sixteen.groups, 2) == 0U);
  BOOST_TEST(list.take(hint, out, 4) == 4U);
  BOOST_TEST(list.take_private(hint, out, 16, sixteen.groups, 1) == 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
