// SPDX-License-Identifier: MIT
// What keeps two of the program's threads apart in the recorder, and keeps them there to the end.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace bench::trace {

// The calls that wait, open and write are where a cancelled thread ends, and no allocator's are. To
// end there would leave the lock held and the call of the allocator half done.
class NoCancellation {
 public:
  NoCancellation() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancellation() { pthread_setcancelstate(before_, nullptr); }
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

// Orders all of the sink but its counters.
class Lock {
 public:
  Lock() {
    // Acquire and release: the pair that hands over what the lock guards.
    while (held.exchange(true, std::memory_order_acquire)) {
      usleep(1);
    }
  }
  ~Lock() { held.store(false, std::memory_order_release); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  static inline std::atomic<bool> held{false};

 private:
  const NoCancellation uncancelled_;  // ends after the lock is open
};

}  // namespace bench::trace
