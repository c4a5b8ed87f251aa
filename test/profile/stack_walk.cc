// SPDX-License-Identifier: MIT
// The walk sees what libgcc's sees, which exceptions rely on.
#include "alloc/profile/stack_walk.h"

#include <unwind.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "alloc/profile/frame_table.h"
#include "alloc/profile/rule_cache.h"

namespace spillway::profile {
namespace {

// Without memory of the heap's: handlers of signals have one, too.
struct Frames {
  static constexpr size_t kRoom = 512;
  uintptr_t frames[kRoom];
  size_t count = 0;

  const uintptr_t* begin() const { return frames; }
  const uintptr_t* end() const { return frames + count; }
};

RuleCache rules;

Frames walked(AddressRange skipped = {}, RuleCache* cache = nullptr) {
  uintptr_t frames[kMaxFrames];
  Frames result;
  result.count = walk_stack(skipped, frames, cache);
  std::copy(frames, frames + result.count, result.frames);
  return result;
}

Frames unwound() {
  Frames result;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* argument) {
        auto& all = *static_cast<Frames*>(argument);
        int is_exact = 0;
        const uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
        if (address != 0 && all.count < Frames::kRoom) {
          all.frames[all.count++] = address - (is_exact != 0 ? 0 : 1);
        }
        return _URC_NO_REASON;
      },
      &result);
  return result;
}

// Their callers' frames are the same; that of each, and of this function, is not.
bool agree(const Frames& expected, const Frames& seen) {
  constexpr size_t kOwn = 2;
  return seen.count == std::min(expected.count, kMaxFrames) && seen.count > kOwn &&
         std::equal(seen.begin() + kOwn, seen.end(), expected.begin() + kOwn);
}

// Without a cache, with one that may not know the frames, and with one that does.
bool agree() {
  const Frames expected = unwound();
  return agree(expected, walked()) && agree(expected, walked({}, &rules)) &&
         agree(expected, walked({}, &rules));
}

// So many calls deep, with frames of different sizes and saved registers.
bool agree_below(int calls) {
  if (calls == 0) {
    return agree();
  }
  volatile char room[200] = {};
  room[calls % 200] = 1;
  const bool answer = agree_below(calls - 1);
  return answer && room[calls % 200] == 1;
}

bool answer_of_handler = false;
void handler(int) { answer_of_handler = agree_below(3); }

BOOST_AUTO_TEST_SUITE(profile_stack_walk)

BOOST_AUTO_TEST_CASE(it_sees_what_exceptions_see) {
  for (const int depth : {0, 1, 10, 40}) {
    BOOST_TEST(agree_below(depth));
  }
}

BOOST_AUTO_TEST_CASE(a_deep_stack_has_its_innermost_frames) {
  BOOST_TEST(agree_below(200));
  BOOST_TEST(walked().count <= kMaxFrames);
}

BOOST_AUTO_TEST_CASE(it_goes_through_signal_handlers) {
  struct sigaction before {};
  struct sigaction action {};
  action.sa_handler = handler;
  BOOST_REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
  answer_of_handler = false;
  std::raise(SIGUSR1);
  BOOST_TEST(answer_of_handler);
  sigaction(SIGUSR1, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(it_goes_from_a_signal_stack_to_the_one_interrupted) {
  std::vector<char> room(size_t{256} * 1024);
  stack_t own{};
  own.ss_sp = room.data();
  own.ss_size = room.size();
  stack_t before_stack{};
  BOOST_REQUIRE(sigaltstack(&own, &before_stack) == 0);
  struct sigaction before {};
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;
  BOOST_REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
  answer_of_handler = false;
  std::raise(SIGUSR1);
  BOOST_TEST(answer_of_handler);
  sigaction(SIGUSR1, &before, nullptr);
  sigaltstack(&before_stack, nullptr);
}

BOOST_AUTO_TEST_CASE(it_goes_through_other_libraries) {
  static bool good = false;
  int numbers[] = {3, 1, 2};
  std::qsort(numbers, 3, sizeof *numbers, [](const void* a, const void* b) {
    good = agree_below(1);
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  });
  BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(it_ends_where_a_thread_began) {
  bool good = false;
  std::thread([&] { good = agree_below(5); }).join();
  BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(leading_frames_of_a_range_are_left_out) {
  const Frames all = walked();
  ObjectRange program;
  BOOST_REQUIRE(find_object(all.frames[0], program));
  const Frames others = walked({.start = program.start, .end = program.end});
  // The test's own are gone, those of Boost's library are not, and behind them none is left out.
  BOOST_REQUIRE(others.count != 0U);
  BOOST_REQUIRE(others.count < all.count);
  BOOST_TEST((others.frames[0] < program.start || others.frames[0] >= program.end));
  BOOST_TEST(std::equal(others.begin(), others.end(), all.end() - others.count));
}

BOOST_AUTO_TEST_CASE(memory_without_code_has_no_frames) {
  FrameDescription none;
  BOOST_TEST(find_frame_table(0) == nullptr);
  BOOST_TEST(find_frame_table(reinterpret_cast<uintptr_t>(&none)) == nullptr);
  BOOST_TEST(find_frame_table(UINTPTR_MAX) == nullptr);
  const auto here = reinterpret_cast<uintptr_t>(&walk_stack);
  BOOST_TEST(find_frame(find_frame_table(here), here, none));
  BOOST_TEST(!find_frame(find_frame_table(here), 0, none));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile
