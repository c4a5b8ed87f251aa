// SPDX-License-Identifier: MIT
#include "bench/contention/coherence.h"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(contention_coherence)

namespace {

using bench::contention::Coherence;

constexpr uint64_t kLine = 0x1000;
constexpr bool kWrites = true;
constexpr bool kReads = false;

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_of_one_thread_never_moves) {
  Coherence lines;
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(!lines.access(0, kLine, kWrites));
    BOOST_TEST(!lines.access(0, kLine + 63, kReads));
    BOOST_TEST(!lines.access(1, kLine + 64, kWrites));
  }
  BOOST_TEST(lines.shared_lines() == 0U);
}

BOOST_AUTO_TEST_CASE(a_line_moves_to_each_reader_once_after_a_write) {
  Coherence lines;
  BOOST_TEST(!lines.access(0, kLine, kWrites));
  BOOST_TEST(lines.access(1, kLine, kReads));
  BOOST_TEST(!lines.access(1, kLine, kReads));
  BOOST_TEST(lines.access(2, kLine + 8, kReads));
  BOOST_TEST(!lines.access(0, kLine, kReads));
  BOOST_TEST(lines.shared_lines() == 1U);
}

BOOST_AUTO_TEST_CASE(a_write_takes_the_line_from_all_who_hold_it) {
  Coherence lines;
  BOOST_TEST(!lines.access(0, kLine, kReads));
  BOOST_TEST(!lines.access(1, kLine, kReads));
  BOOST_TEST(lines.shared_lines() == 0U);  // no thread has written
  BOOST_TEST(lines.access(1, kLine, kWrites));
  BOOST_TEST(!lines.access(1, kLine, kWrites));
  BOOST_TEST(lines.access(0, kLine, kReads));
  BOOST_TEST(lines.access(1, kLine, kWrites));  // the reader holds it, too
  BOOST_TEST(lines.access(0, kLine, kWrites));
  BOOST_TEST(lines.shared_lines() == 1U);
}

BOOST_AUTO_TEST_CASE(reading_an_unwritten_line_is_no_transfer) {
  Coherence lines;
  for (unsigned thread = 0; thread < Coherence::kMaxThreads; ++thread) {
    BOOST_TEST(!lines.access(thread, kLine, kReads));
  }
}

BOOST_AUTO_TEST_CASE(counting_anew_remembers_who_holds_a_line) {
  Coherence lines;
  lines.access(0, kLine, kWrites);
  lines.access(1, kLine, kWrites);
  lines.start_counting();
  BOOST_TEST(lines.shared_lines() == 0U);
  BOOST_TEST(!lines.access(1, kLine, kWrites));
  BOOST_TEST(lines.access(0, kLine, kWrites));
  BOOST_TEST(lines.shared_lines() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
