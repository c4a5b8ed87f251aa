// SPDX-License-Identifier: MIT
// Waits for what has to happen, for however long a busy machine takes.
#pragma once

#include <chrono>
#include <thread>

namespace spillway::testing {

// Ends a test that hangs; nothing is judged by it. Below ctest's own limit.
class HangGuard {
 public:
  bool expired() const { return Clock::now() > end_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLimit{600};
  const Clock::time_point end_ = Clock::now() + kLimit;
};

// False when it has not happened before the guard's limit.
template <typename Condition>
bool wait_until(Condition happened) {
  const HangGuard guard;
  while (!happened()) {
    if (guard.expired()) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

}  // namespace spillway::testing
