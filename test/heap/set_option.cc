// SPDX-License-Identifier: MIT
// Options that change in the running process: each has its effect, and what is refused changes
// nothing.
#include "alloc/heap/set_option.h"

#include <cerrno>
#include <string>

#include "alloc/heap/counters.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/scavenger.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using config::Option;

struct SetOptionFixture : HeapFixture {
  std::string complaint;

  SetOutcome set(std::string_view name, std::string_view text) {
    Line<500> line;
    const SetOutcome outcome = set_option(name, text, line);
    complaint = line.view();
    return outcome;
  }
  ~SetOptionFixture() {
    set("purge_delay", "never");
    for (const char* name : {"limit", "hard_limit", "pressure"}) {
      set(name, "none");
    }
    set("on_misuse", "abort");
  }
};

BOOST_FIXTURE_TEST_SUITE(heap_set_option, SetOptionFixture)

BOOST_AUTO_TEST_CASE(limits_hold_from_then_on) {
  BOOST_TEST((set("hard_limit", "1M") == SetOutcome::kDone));
  BOOST_TEST(limits_are_set.get());
  BOOST_TEST(snapshot().hard_limit_bytes == kMiB);
  errno = 0;
  BOOST_TEST(allocate_large(size_t{64} << 20) == nullptr);
  BOOST_TEST(errno == ENOMEM);
  BOOST_TEST((set("hard_limit", "none") == SetOutcome::kDone));
  BOOST_TEST(!limits_are_set.get());
  void* const block = allocate_large(size_t{64} << 20);
  BOOST_TEST(block != nullptr);
  heap::free(block);
}

BOOST_AUTO_TEST_CASE(soft_limit_is_counted_when_crossed) {
  const uint64_t before = snapshot().limit_crossed_total;
  BOOST_TEST((set("limit", "1") == SetOutcome::kDone));
  BOOST_TEST(snapshot().limit_bytes == 1U);
  void* const block = allocate_large(size_t{64} << 20);
  BOOST_TEST(block != nullptr);
  BOOST_TEST(snapshot().limit_crossed_total == before + 1);
  heap::free(block);
}

BOOST_AUTO_TEST_CASE(purge_delay_reaches_the_scavenger) {
  BOOST_TEST(!scavenger.purges());
  BOOST_TEST((set("purge_delay", "500") == SetOutcome::kDone));
  BOOST_TEST(scavenger.purges());
  BOOST_TEST(scavenger.interval_ms() == 250U);
  BOOST_TEST((set("purge_delay", "never") == SetOutcome::kDone));
  BOOST_TEST(!scavenger.purges());
}

BOOST_AUTO_TEST_CASE(pressure_is_watched_from_then_on) {
  BOOST_TEST(!watches_pressure());
  BOOST_TEST((set("pressure", "10") == SetOutcome::kDone));
  BOOST_TEST(watches_pressure());
}

BOOST_AUTO_TEST_CASE(misuse_is_handled_as_was_set_last) {
  BOOST_TEST((set("on_misuse", "ignore") == SetOutcome::kDone));
  BOOST_TEST((options().origin(Option::on_misuse) == config::OptionOrigin::kRunTime));
  const uint64_t before = counters.double_frees.get();
  void* const block = allocate(300000);
  heap::free(block);
  heap::free(block);
  BOOST_TEST(counters.double_frees.get() == before + 1);
}

BOOST_AUTO_TEST_CASE(what_is_refused_changes_nothing) {
  struct {
    const char* name;
    const char* text;
    SetOutcome outcome;
    const char* line;
  } const cases[] = {
      {"purge_dely", "1", SetOutcome::kUnknown,
       "unknown option 'purge_dely', did you mean 'purge_delay'?"},
      {"purge_delay", "-2", SetOutcome::kWrong,
       "option purge_delay: '-2' is not 0..3600000 or never"},
      {"pressure", "101", SetOutcome::kWrong, "option pressure: '101' is not 1..100 or none"},
      {"on_misuse", "", SetOutcome::kWrong, "option on_misuse: '' is not abort|report|ignore"},
      {"limit", "0%", SetOutcome::kWrong,
       "option limit: '0%' is not 1%..100%, 1..1125899906842624 or none"},
      {"thp", "never", SetOutcome::kFixed, "option thp is read at the start of the process alone"},
      {"stats_file", "x", SetOutcome::kFixed,
       "option stats_file is read at the start of the process alone"},
  };
  for (const auto& one : cases) {
    BOOST_TEST((set(one.name, one.text) == one.outcome), one.name);
    BOOST_TEST(complaint == one.line);
  }
  BOOST_TEST(options().value(Option::purge_delay) == config::kWordValue);
  BOOST_TEST(options().value(Option::pressure) == config::kWordValue);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
