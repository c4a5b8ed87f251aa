// SPDX-License-Identifier: MIT
// A program that does nothing but allocate and free: blocks of 16 KiB and 64 KiB that its thread's
// cache serves, some two hundred million calls a second. At each byte of standard input it prints
// the calls so far and the process's processor time in nanoseconds, that of Spillway's background
// thread included. Ends with the input. For bench/control/cost.py.
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

std::atomic<uint64_t> calls{0};
std::atomic<bool> ends{false};

void* work(void* /*nothing*/) {
  // relaxed, all: counts.
  while (!ends.load(std::memory_order_relaxed)) {
    for (int i = 0; i < 1000; ++i) {
      void* volatile first = std::malloc(16384);
      void* volatile second = std::malloc(65536);
      std::free(first);
      std::free(second);
    }
    calls.fetch_add(4000, std::memory_order_relaxed);
  }
  return nullptr;
}

}  // namespace

int main() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, work, nullptr) != 0) {
    return 1;
  }
  char byte;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    const uint64_t nanoseconds =
        static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
    std::printf("%lu %lu\n", static_cast<unsigned long>(calls.load(std::memory_order_relaxed)),
                static_cast<unsigned long>(nanoseconds));
    std::fflush(stdout);
  }
  ends.store(true, std::memory_order_relaxed);
  pthread_join(thread, nullptr);
  return 0;
}
