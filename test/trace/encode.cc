// SPDX-License-Identifier: MIT
#include <boost/test/unit_test.hpp>

#include "bench/trace/format.h"
#include "test/trace/recordings.h"

namespace bench::trace {
namespace {

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(nothing_comes_back_as_nothing) {
  const Recording nothing{.program = ""};
  BOOST_TEST((decode(encode(nothing)) == nothing));
}

BOOST_AUTO_TEST_CASE(every_kind_of_event_comes_back) {
  const Recording all{
      .program = "a program",
      .threads = kMaxThreads,
      .blocks = 5,
      .events = {{.size = 0, .made = 0, .thread = 63, .op = Op::kMalloc},
                 {.size = kMaxSize, .made = 1, .op = Op::kCalloc},
                 {.size = 4097, .made = 2, .op = Op::kAligned, .alignment_log2 = 3},
                 {.size = 1, .made = 3, .thread = 1, .op = Op::kAligned, .alignment_log2 = 30},
                 {.size = 1, .made = 4, .ended = 0, .thread = 1, .op = Op::kRealloc},
                 {.ended = 2, .thread = 63, .op = Op::kFree}}};
  BOOST_TEST((decode(encode(all)) == all));
}

BOOST_AUTO_TEST_CASE(random_recordings_come_back) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Recording one = random_recording(1000 * seed, 1 + seed, seed);
    BOOST_TEST((decode(encode(one)) == one));
  }
}

// What one event of a program like others takes: blocks of few sizes that soon end.
BOOST_AUTO_TEST_CASE(small_for_programs_that_repeat_themselves) {
  Recording loop{.program = "loop"};
  for (std::uint32_t i = 0; i < 10000; ++i) {
    loop.events.push_back({.size = 4096U << i % 5, .made = i});
    loop.events.push_back({.ended = i, .op = Op::kFree});
  }
  loop.blocks = 10000;
  BOOST_TEST(encode(loop).size() < 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench::trace
