// SPDX-License-Identifier: MIT
#include "bench/memory/trace.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace bench {
namespace {

Note note(NoteKind kind, std::string_view name, double time_ns, double value = 0) {
  Note made{kind, {}, time_ns, value};
  name.copy(made.name, sizeof made.name - 1);
  return made;
}

// Memory every 5 ns from 0 on; the middle of the run is from 10 to 30.
Trace sample() {
  Trace trace;
  trace.samples = {{0, 900}, {5, 100}, {10, 200}, {15, 600}, {20, 400}, {25, 300}, {30, 300}};
  trace.notes = {note(NoteKind::kMark, "start", 10),
                 note(NoteKind::kValue, "threads", 12, 1),
                 note(NoteKind::kValue, Notebook::kLiveBytes, 10, 0),
                 note(NoteKind::kValue, Notebook::kLiveBytes, 20, 80),
                 note(NoteKind::kValue, "threads", 26, 2),
                 note(NoteKind::kMark, "end", 30)};
  return trace;
}

// How a process ends that does this.
template <class Work>
int status_of(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

BOOST_AUTO_TEST_SUITE(trace)

BOOST_AUTO_TEST_CASE(memory_at_a_moment_is_the_last_sample_before) {
  Trace trace = sample();
  trace.notes.push_back(note(NoteKind::kMark, "between", 19));
  BOOST_TEST(trace.resident_at("between") == 600);
  BOOST_TEST(trace.resident_at("start") == 200);
}

BOOST_AUTO_TEST_CASE(the_peak_is_that_between_two_moments) {
  Trace trace = sample();
  BOOST_TEST(trace.peak("start", "end") == 600);
  trace.notes.push_back(note(NoteKind::kMark, "late", 19));
  BOOST_TEST(trace.peak("late", "end") == 400);
  // Without a sample between them: the one before.
  trace.notes.push_back(note(NoteKind::kMark, "later", 19.5));
  BOOST_TEST(trace.peak("late", "later") == 600);
}

BOOST_AUTO_TEST_CASE(means_are_over_the_time_between_two_moments) {
  // (200 + 600) / 2, (600 + 400) / 2, (400 + 300) / 2, 300, each for the same time.
  BOOST_CHECK_CLOSE(sample().mean("start", "end"), (400 + 500 + 350 + 300) / 4.0, 1e-9);
  // From 0 to 80, then as long at 80.
  BOOST_CHECK_CLOSE(sample().mean_live("start", "end"), 60, 1e-9);
}

BOOST_AUTO_TEST_CASE(values_are_told_apart_by_name) {
  const Trace trace = sample();
  BOOST_TEST(trace.value("threads") == 1);
  BOOST_TEST(trace.values("threads") == (std::vector<double>{1, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(trace.live_over_time().size() == 2);
}

BOOST_AUTO_TEST_CASE(a_value_has_the_memory_when_it_was_noted) {
  const std::vector<Point> points = sample().resident_over("threads");
  BOOST_REQUIRE(points.size() == 2);
  BOOST_TEST(points[0].x == 1);
  BOOST_TEST(points[0].y == 200);
  BOOST_TEST(points[1].x == 2);
  BOOST_TEST(points[1].y == 300);
}

BOOST_AUTO_TEST_CASE(a_note_that_is_missing_ends_the_program) {
  const Trace trace = sample();
  BOOST_TEST(status_of([&] { (void)trace.time_of("start"); }) == 0);
  BOOST_TEST(status_of([&] { (void)trace.time_of("threads"); }) == 1);
  BOOST_TEST(status_of([&] { (void)trace.values("start"); }) == 1);
  BOOST_TEST(status_of([&] { (void)trace.resident_over("nothing"); }) == 1);
  BOOST_TEST(status_of([] { (void)Trace().mean_live("start", "end"); }) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
