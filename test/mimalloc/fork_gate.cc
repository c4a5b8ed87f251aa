// SPDX-License-Identifier: MIT
// The fork gate itself: it holds others back, lets the forking thread pass, gives up after a while,
// and the compiled-in mimalloc really has its hooks.
#include "alloc/mimalloc/fork_gate.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>

#include "alloc/mimalloc/calls.h"

namespace mimalloc = spillway::mimalloc;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kHuge = size_t{8} << 20;  // always mimalloc's slow path

// As a process that is being copied: not asleep.
void stay_awake_for(std::chrono::milliseconds time) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < time) {
    std::this_thread::yield();
  }
}

// A thread that is inside until it is told to leave.
class ThreadInside {
 public:
  ThreadInside() {
    while (!entered_) {
      std::this_thread::yield();
    }
  }
  ~ThreadInside() {
    leave_ = true;
    thread_.join();
  }
  ThreadInside(const ThreadInside&) = delete;
  ThreadInside& operator=(const ThreadInside&) = delete;

 private:
  std::atomic<bool> entered_{false};
  std::atomic<bool> leave_{false};
  std::thread thread_{[this] {
    mimalloc::enter_gate();
    entered_ = true;
    while (!leave_) {
      std::this_thread::sleep_for(1ms);
    }
    mimalloc::leave_gate();
  }};
};

// How long closing waits in vain for a thread inside, on this machine in its state.
Clock::duration patience() {
  const ThreadInside stuck;
  const auto start = Clock::now();
  mimalloc::fork_prepare();
  const auto waited = Clock::now() - start;
  mimalloc::fork_parent();
  return waited;
}

std::atomic<int> forks_in_handler{0};
std::atomic<int> failures_in_handler{0};

void fork_in_handler(int) {
  const int entry_errno = errno;
  const pid_t child = fork();
  if (child == 0) {
    for (size_t size = 16; size <= kHuge; size *= 8) {
      mimalloc::free(mimalloc::allocate(size));
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    ++failures_in_handler;
  }
  ++forks_in_handler;
  errno = entry_errno;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fork_gate)

BOOST_AUTO_TEST_CASE(a_closed_gate_holds_back_the_slow_path_of_others) {
  std::atomic<int> done{0};
  std::atomic<bool> begun{false};
  mimalloc::fork_prepare();
  std::thread other([&] {
    errno = 4321;
    begun = true;
    void* block = mimalloc::allocate(kHuge);
    done = block != nullptr && errno == 4321 ? 1 : 2;
    mimalloc::free(block);
  });
  while (!begun) {
    std::this_thread::yield();
  }
  stay_awake_for(100ms);
  BOOST_TEST(done == 0);
  void* block = mimalloc::allocate(kHuge);  // the thread that closed it passes
  BOOST_TEST(block != nullptr);
  mimalloc::free(block);
  mimalloc::fork_parent();
  other.join();
  BOOST_TEST(done == 1);
}

// Whether closing came back only after the thread inside had left; nothing when that thread got no
// processor for so long that the gate gave it up.
std::optional<bool> closing_waits(Clock::duration patience) {
  std::atomic<bool> entered{false};
  std::atomic<bool> left{false};
  std::thread other([&] {
    mimalloc::enter_gate();
    mimalloc::enter_gate();
    entered = true;
    mimalloc::leave_gate();
    std::this_thread::sleep_for(20ms);
    left = true;
    mimalloc::leave_gate();
  });
  while (!entered) {
    std::this_thread::yield();
  }
  const auto start = Clock::now();
  mimalloc::fork_prepare();
  const bool waited = left;
  const bool gave_up = !waited && Clock::now() - start > patience / 2;
  mimalloc::fork_parent();
  other.join();
  return gave_up ? std::nullopt : std::optional(waited);
}

BOOST_AUTO_TEST_CASE(closing_waits_for_those_inside) {
  const auto longest = patience();
  std::optional<bool> waited;
  while (!waited.has_value()) {
    waited = closing_waits(longest);
  }
  BOOST_TEST(*waited);
}

BOOST_AUTO_TEST_CASE(a_gate_whose_thread_is_asleep_lets_others_pass) {
  mimalloc::fork_prepare();
  std::thread other([] { mimalloc::free(mimalloc::allocate(kHuge)); });
  other.join();  // asleep
  // Open for all until the next fork.
  std::thread another([] { mimalloc::free(mimalloc::allocate(kHuge)); });
  another.join();
  mimalloc::fork_parent();
}

BOOST_AUTO_TEST_CASE(every_wait_ends) {
  const ThreadInside stuck;
  const auto start = Clock::now();
  mimalloc::fork_prepare();
  BOOST_TEST((Clock::now() - start > 500ms));  // not at once: pauses are never shorter than asked
  std::thread held_back([&] { mimalloc::free(mimalloc::allocate(kHuge)); });
  held_back.join();  // the gate is still closed
  mimalloc::fork_parent();
}

// Whether neither the forking thread, which is inside, nor its child waited for itself.
bool forks_at_once(Clock::duration patience) {
  mimalloc::enter_gate();
  const auto start = Clock::now();
  mimalloc::fork_prepare();
  const pid_t child = fork();
  if (child == 0) {
    mimalloc::fork_child();
    mimalloc::leave_gate();
    mimalloc::fork_prepare();  // must find no thread inside, itself no longer either
    mimalloc::fork_parent();
    mimalloc::free(mimalloc::allocate(kHuge));
    _exit(0);
  }
  mimalloc::fork_parent();
  mimalloc::leave_gate();
  int status = 0;
  BOOST_TEST(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  return Clock::now() - start < patience;
}

BOOST_AUTO_TEST_CASE(a_thread_inside_may_fork) {
  // A wait for itself would take the gate's patience each time, a busy machine only now and then.
  constexpr int kAttempts = 20;
  const auto longest = patience();
  int attempts = 1;
  while (attempts < kAttempts && !forks_at_once(longest / 2)) {
    ++attempts;
  }
  BOOST_TEST(attempts < kAttempts);
}

BOOST_AUTO_TEST_CASE(a_signal_handler_that_interrupts_mimalloc_may_fork) {
  static const bool registered =
      pthread_atfork(mimalloc::fork_prepare, mimalloc::fork_parent, mimalloc::fork_child) == 0;
  BOOST_REQUIRE(registered);
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = fork_in_handler;
  action.sa_flags = SA_RESTART;
  BOOST_REQUIRE_EQUAL(sigaction(SIGALRM, &action, &before), 0);
  std::atomic<bool> stop{false};
  std::thread neighbour([&] {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
    while (!stop) {
      mimalloc::free(mimalloc::allocate(kHuge));
    }
  });
  constexpr int kForks = 100;
  for (int armed = 0; forks_in_handler < kForks;) {
    if (armed == forks_in_handler) {
      // One at a time: a timer that runs on could interrupt at one place for ever.
      const itimerval soon = {{0, 0}, {0, 500 + armed * 7}};
      setitimer(ITIMER_REAL, &soon, nullptr);
      ++armed;
    }
    mimalloc::free(mimalloc::allocate(kHuge));
  }
  sigaction(SIGALRM, &before, nullptr);
  stop = true;
  neighbour.join();
  BOOST_TEST(failures_in_handler == 0);
}

BOOST_AUTO_TEST_SUITE_END()
