// SPDX-License-Identifier: MIT
// The hidden thread: one at a time, gone when its body is, none in a child until it has its own.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>
#include <thread>

#include "alloc/os/os.h"

// A sanitizer's run-time library has thread-local data, which the thread has not.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace spillway::os {
namespace {

std::atomic<bool> finish{false};
std::atomic<int> bodies{0};
std::atomic<bool> was_hidden{false};
std::atomic<uint64_t> mark{0};

void body() {
  was_hidden = on_hidden_thread();
  mark = this_thread();
  ++bodies;
  while (!finish) {
    nap();
  }
}

void wait_for_end() {
  finish = true;
  while (has_hidden_thread()) {
    std::this_thread::yield();
  }
  finish = false;
}

struct Started {
  Started() { note_process_start(); }
};

BOOST_FIXTURE_TEST_SUITE(linux_thread, Started)

BOOST_AUTO_TEST_CASE(there_is_one_at_a_time_and_another_afterwards) {
  for (int round = 0; round < 100; ++round) {
    const int before = bodies;
    BOOST_REQUIRE(start_hidden_thread(body, round % 2 == 0));
    BOOST_TEST(!start_hidden_thread(body, false));
    while (bodies == before) {
      std::this_thread::yield();
    }
    BOOST_TEST(has_hidden_thread());
    wait_for_end();
    BOOST_TEST(bodies == before + 1);
    BOOST_TEST(was_hidden);
    BOOST_TEST(!on_hidden_thread());
    BOOST_TEST(mark != this_thread());
  }
}

// As unshare() needs it.
BOOST_AUTO_TEST_CASE(when_it_has_ended_the_process_has_a_thread_less) {
  const auto threads = [] {
    const std::filesystem::directory_iterator entries("/proc/self/task");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = threads();
  for (int round = 0; round < 500; ++round) {
    const int ended = bodies;
    BOOST_REQUIRE(start_hidden_thread([] { ++bodies; }, false));
    while (bodies == ended || has_hidden_thread()) {
    }
    BOOST_REQUIRE(threads() == before);
  }
}

BOOST_AUTO_TEST_CASE(a_child_has_none_and_may_have_its_own_when_its_handler_has_run) {
  BOOST_REQUIRE(start_hidden_thread(body, false));
  const pid_t child = fork();
  if (child == 0) {
    if (in_own_process() || start_hidden_thread(body, false)) {
      _exit(1);
    }
    forget_hidden_thread();
    if (!in_own_process() || !start_hidden_thread(body, false)) {
      _exit(2);
    }
    wait_for_end();
    _exit(0);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST(has_hidden_thread());
  wait_for_end();
}

BOOST_AUTO_TEST_CASE(asleep_is_neither_running_nor_unknown) {
  BOOST_TEST(!is_asleep(thread_id()));
  BOOST_TEST(!is_asleep(UINT32_MAX));
  std::atomic<uint32_t> sleeper{0};
  std::atomic<uint32_t> word{0};
  std::thread other([&] {
    sleeper = thread_id();
    while (word == 0) {
      sleep_while(word, 0, 0);
    }
  });
  while (sleeper == 0 || !is_asleep(sleeper)) {
    std::this_thread::yield();
  }
  word = 1;
  wake_all(word);
  other.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

#endif
