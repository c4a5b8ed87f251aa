// SPDX-License-Identifier: MIT
#include "bench/trace/pack.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace bench::trace {
namespace {

using Events = std::vector<Event>;

// A record with the next stamp when it is added to `Records`.
struct Records {
  std::vector<RawRecord> all;

  Records& add(std::uint32_t thread, RawOp op, std::uint64_t address, std::uint64_t size = 0,
               std::uint8_t alignment_log2 = 0) {
    all.push_back({all.size() + 1, address, size, thread, op, alignment_log2, {}});
    return *this;
  }

  Packed packed() const { return pack("p", all); }
  Events events() const { return packed().recording.events; }
};

BOOST_AUTO_TEST_SUITE(packing)

BOOST_AUTO_TEST_CASE(addresses_become_blocks) {
  const Packed packed = Records()
                            .add(0, RawOp::kMalloc, 0x10, 5)
                            .add(0, RawOp::kCalloc, 0x20, 6)
                            .add(0, RawOp::kFree, 0x10)
                            .add(0, RawOp::kAligned, 0x10, 7, 12)
                            .packed();
  const Events expected = {{.size = 5, .made = 0},
                           {.size = 6, .made = 1, .op = Op::kCalloc},
                           {.ended = 0, .op = Op::kFree},
                           {.size = 7, .made = 2, .op = Op::kAligned, .alignment_log2 = 12}};
  BOOST_TEST((packed.recording.events == expected));
  BOOST_TEST(packed.recording.blocks == 3U);
  BOOST_TEST(packed.recording.program == "p");
  BOOST_TEST(packed.last_stamp == 4U);
}

BOOST_AUTO_TEST_CASE(stamps_decide_and_gaps_are_passed_over) {
  Records records;
  records.add(1, RawOp::kFree, 0x10)
      .add(0, RawOp::kMalloc, 0x10, 5)
      .add(0, RawOp::kMalloc, 0x20, 6);
  records.all[0].stamp = 9;
  records.all[2].stamp = 0;
  // The second thread takes the lane of the first, which ended.
  const Events expected = {{.size = 5}, {.ended = 0, .op = Op::kFree}};
  BOOST_TEST((records.events() == expected));
}

BOOST_AUTO_TEST_CASE(another_thread_gets_the_address_while_a_block_moves) {
  const Packed packed = Records()
                            .add(0, RawOp::kMalloc, 0x10, 5)
                            .add(0, RawOp::kReallocBegin, 0x10)
                            .add(1, RawOp::kMalloc, 0x10, 6)
                            .add(0, RawOp::kReallocEnd, 0x20, 7)
                            .add(1, RawOp::kFree, 0x20)
                            .add(1, RawOp::kFree, 0x10)
                            .packed();
  const Events expected = {{.size = 5, .made = 0},
                           {.size = 6, .made = 1, .thread = 1},
                           {.size = 7, .made = 2, .ended = 0, .op = Op::kRealloc},
                           {.ended = 2, .thread = 1, .op = Op::kFree},
                           {.ended = 1, .thread = 1, .op = Op::kFree}};
  BOOST_TEST((packed.recording.events == expected));
  BOOST_TEST(packed.unknown == 0U);
  BOOST_TEST(packed.mended == 0U);
}

BOOST_AUTO_TEST_CASE(a_realloc_that_fails_changes_nothing) {
  const Events expected = {{.size = 5}, {.ended = 0, .op = Op::kFree}};
  BOOST_TEST((Records()
                  .add(0, RawOp::kMalloc, 0x10, 5)
                  .add(0, RawOp::kReallocBegin, 0x10)
                  .add(0, RawOp::kReallocEnd, 0, 1 << 20)
                  .add(0, RawOp::kFree, 0x10)
                  .events() == expected));
}

BOOST_AUTO_TEST_CASE(a_realloc_to_nothing_frees_or_shrinks_as_it_did) {
  const Events freed = {{.size = 5}, {.ended = 0, .op = Op::kFree}};
  const Events shrunk = {{.size = 5}, {.size = 1, .made = 1, .ended = 0, .op = Op::kRealloc}};
  for (const std::uint64_t result : {0UL, 0x20UL}) {
    const Events events = Records()
                              .add(0, RawOp::kMalloc, 0x10, 5)
                              .add(0, RawOp::kReallocBegin, 0x10)
                              .add(0, RawOp::kReallocEnd, result, 0)
                              .events();
    BOOST_TEST((events == (result == 0 ? freed : shrunk)));
  }
}

BOOST_AUTO_TEST_CASE(a_recording_that_begins_or_ends_amid_a_realloc) {
  const Packed packed = Records()
                            .add(0, RawOp::kReallocEnd, 0x10, 5)
                            .add(1, RawOp::kReallocBegin, 0x99)
                            .add(1, RawOp::kReallocEnd, 0x20, 6)
                            .add(0, RawOp::kReallocBegin, 0x10)
                            .packed();
  const Events expected = {{.size = 5}, {.size = 6, .made = 1}};
  BOOST_TEST((packed.recording.events == expected));
  BOOST_TEST(packed.unknown == 1U);
}

BOOST_AUTO_TEST_CASE(ends_that_are_unknown_or_were_not_seen) {
  const Packed packed = Records()
                            .add(0, RawOp::kFree, 0x99)
                            .add(0, RawOp::kMalloc, 0x10, 5)
                            .add(1, RawOp::kMalloc, 0x10, 6)
                            .packed();
  const Events expected = {{.size = 5}, {.ended = 0, .op = Op::kFree}, {.size = 6, .made = 1}};
  BOOST_TEST((packed.recording.events == expected));
  BOOST_TEST(packed.unknown == 1U);
  BOOST_TEST(packed.mended == 1U);
}

BOOST_AUTO_TEST_CASE(threads_that_follow_each_other_share_a_lane) {
  Records records;
  for (std::uint32_t thread = 1; thread <= 100; ++thread) {
    records.add(0, RawOp::kMalloc, 2 * thread, 1).add(thread, RawOp::kMalloc, 2 * thread + 1, 1);
  }
  const Packed packed = records.add(0, RawOp::kFree, 2).packed();
  BOOST_TEST(packed.threads == 101U);
  BOOST_TEST(packed.recording.threads == 2U);
  BOOST_TEST(packed.recording.events[199].thread == 1U);
  BOOST_TEST(packed.recording.events[200].thread == 0U);
}

BOOST_AUTO_TEST_CASE(more_threads_at_once_than_lanes) {
  Records records;
  for (const RawOp op : {RawOp::kMalloc, RawOp::kFree}) {
    for (std::uint32_t thread = 0; thread < 100; ++thread) {
      records.add(thread, op, 1 + thread, 1);
    }
  }
  const Packed packed = records.packed();
  BOOST_TEST(packed.recording.threads == kMaxThreads);
  for (std::size_t i = 0; i < 100; ++i) {
    BOOST_TEST(packed.recording.events[i].thread == packed.recording.events[100 + i].thread);
  }
}

BOOST_AUTO_TEST_CASE(files_that_no_recorder_wrote) {
  BOOST_CHECK_THROW(pack_file("/proc/self/exe"), BadTrace);
  BOOST_CHECK_THROW(pack_file("/dev/null"), BadTrace);
  BOOST_CHECK_THROW(pack_file("/nowhere/1.0"), BadTrace);
  BOOST_CHECK_THROW(Records().add(0, static_cast<RawOp>(9), 1).packed(), BadTrace);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench::trace
