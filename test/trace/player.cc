// SPDX-License-Identifier: MIT
#include "bench/trace/replay/player.h"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/trace/replay/memory.h"
#include "test/trace/recordings.h"
#include "test/wait.h"

namespace bench::trace {
namespace {

// A plan whose file lives as long as it does.
struct PlanFile {
  explicit PlanFile(const Recording& recording) : file(Plan::make(recording)), plan(file) {}
  ~PlanFile() { close(file); }
  PlanFile(const PlanFile&) = delete;
  PlanFile& operator=(const PlanFile&) = delete;

  const int file;
  const Plan plan;
};

void play_all(Player& player, unsigned threads) {
  player.rewind();
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; ++thread) {
    others.emplace_back([&player, thread] { player.play(thread); });
  }
  player.play(0);
  for (std::thread& other : others) {
    other.join();
  }
}

std::size_t in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

BOOST_AUTO_TEST_SUITE(replaying)

BOOST_AUTO_TEST_CASE(a_plan_holds_each_threads_steps_in_their_order) {
  const Recording recording = random_recording(500, 3, 7);
  const PlanFile made(recording);
  BOOST_TEST(made.plan.threads() == 3U);
  std::vector<std::size_t> next(3, 0);
  for (std::size_t at = 0; at < recording.events.size(); ++at) {
    const Event& event = recording.events[at];
    const Step& step = made.plan.steps(event.thread)[next[event.thread]++];
    BOOST_TEST(step.position == at);
    BOOST_TEST((step.op == event.op));
    BOOST_TEST((!makes_block(event.op) || step.size == std::max<std::uint64_t>(event.size, 1)));
  }
  for (unsigned thread = 0; thread < 3; ++thread) {
    BOOST_TEST(next[thread] == made.plan.steps(thread).size());
  }
}

BOOST_AUTO_TEST_CASE(one_thread_leaves_what_the_trace_leaves) {
  const PlanFile made({.program = "p",
                       .blocks = 3,
                       .events = {{.size = 100000, .made = 0},
                                  {.size = 200000, .made = 1, .ended = 0, .op = Op::kRealloc},
                                  {.size = 50000, .made = 2, .op = Op::kCalloc},
                                  {.ended = 2, .op = Op::kFree}}});
  Player player(made.plan, Touch::kPages);
  const std::size_t before = in_use();
  play_all(player, 1);
  BOOST_TEST(in_use() - before >= 200000U);
  BOOST_TEST(in_use() - before < 250000U);
  player.sweep();
  BOOST_TEST(in_use() == before);
}

BOOST_AUTO_TEST_CASE(threads_end_each_others_blocks_again_and_again) {
  for (const unsigned threads : {2U, 5U, 64U}) {
    const PlanFile made(random_recording(20000, threads, threads));
    Player player(made.plan, Touch::kWord);
    for (int time = 0; time < 3; ++time) {
      play_all(player, threads);
      BOOST_TEST(player.failed() == 0U);
      player.sweep();
    }
  }
}

// A thread that would run ahead waits for the slowest. All blocks at once would be 160 MB.
BOOST_AUTO_TEST_CASE(a_producer_does_not_run_through_to_its_end) {
  constexpr std::uint32_t kBlocks = 20000;
  Recording handed{.program = "p", .threads = 2, .blocks = kBlocks};
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    handed.events.push_back({.size = 8192, .made = i});
    handed.events.push_back({.ended = i, .thread = 1, .op = Op::kFree});
  }
  const PlanFile made(handed);
  Player player(made.plan, Touch::kPages);
  reset_peak();
  const double before = resident_bytes();
  player.rewind();
  std::atomic<bool> begun{false};
  std::thread producer([&] {
    begun = true;
    player.play(0);
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // it would get far
  player.play(1);
  producer.join();
  BOOST_TEST(player.failed() == 0U);
  BOOST_TEST(peak_bytes() - before < 40e6);
}

BOOST_AUTO_TEST_CASE(a_step_without_memory_ends_all_threads) {
  Recording hungry{.program = "p", .threads = 2, .blocks = 2};
  hungry.events = {{.size = 10, .made = 0},
                   {.size = kMaxSize, .made = 1},
                   {.ended = 1, .thread = 1, .op = Op::kFree}};
  const PlanFile made(hungry);
  Player player(made.plan, Touch::kNone);
  play_all(player, 2);
  BOOST_TEST(player.failed() == 2U);
  player.sweep();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench::trace
