// SPDX-License-Identifier: MIT
#include "bench/trace/summary.h"

#include <boost/test/unit_test.hpp>

namespace bench::trace {
namespace {

BOOST_AUTO_TEST_SUITE(summary)

BOOST_AUTO_TEST_CASE(counts_blocks_bytes_and_what_is_live) {
  const Recording recording{.program = "p",
                            .threads = 2,
                            .blocks = 5,
                            .events = {{.size = 4095, .made = 0},
                                       {.size = 4096, .made = 1},
                                       {.size = 1048576, .made = 2},
                                       {.ended = 1, .thread = 1, .op = Op::kFree},
                                       {.size = 1048577, .made = 3, .ended = 2, .op = Op::kRealloc},
                                       {.size = 1, .made = 4, .thread = 1},
                                       {.ended = 3, .thread = 0, .op = Op::kFree}}};
  const Summary found = summarize(recording);
  BOOST_TEST(found.made == 5U);
  BOOST_TEST(found.pooled == 2U);
  BOOST_TEST(found.bytes == 4095U + 4096 + 1048576 + 1048577 + 1);
  BOOST_TEST(found.pooled_bytes == 4096U + 1048576);
  BOOST_TEST(found.peak_live == 4095U + 4096 + 1048576);
  BOOST_TEST(found.left == 2U);
  BOOST_TEST(found.elsewhere == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_nothing) {
  const Summary found = summarize({});
  BOOST_TEST(found.made == 0U);
  BOOST_TEST(found.peak_live == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench::trace
