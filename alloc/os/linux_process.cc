// SPDX-License-Identifier: MIT
// The process part of os.h.
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "alloc/base/line.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"
#include "alloc/os/read_file.h"
#include "alloc/os/system_call.h"

namespace spillway::os {

// This and the next are asked at the start of a heap or a pool, through the C library's functions:
// tests and benchmarks replace those to have the same machine each time.
uint64_t random_bits() {
  const ErrnoKeeper keeper;
  int cancellable = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellable);
  uint64_t bits = 0;
  const bool given = getrandom(&bits, sizeof bits, GRND_NONBLOCK) == sizeof bits;
  pthread_setcancelstate(cancellable, nullptr);
  if (!given) {
    bits = reinterpret_cast<uintptr_t>(&bits) * 0x9e3779b97f4a7c15U;  // golden ratio: spreads it
  }
  return bits;
}

uint32_t processors() {
  // relaxed: threads that ask first at the same time get the same answer.
  static constinit std::atomic<uint32_t> known{0};
  uint32_t count = known.load(std::memory_order_relaxed);
  if (count == 0) {
    const ErrnoKeeper keeper;
    cpu_set_t allowed = {};
    count = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                ? static_cast<uint32_t>(CPU_COUNT(&allowed))
                : CPU_SETSIZE;  // more than the set has room for
    known.store(count, std::memory_order_relaxed);
  }
  return count;
}

void yield() { system_call(SYS_sched_yield); }

void nap() {
  const struct timespec time = {.tv_sec = 0, .tv_nsec = 100'000};
  system_call(SYS_nanosleep, &time, nullptr);
}

bool barrier_in_all_threads() {
  const long answer = system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  if (answer == 0) {
    return true;
  }
  // The first time, and after an exec or a fork: the process has to say that it will ask.
  return answer == -EPERM &&
         system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
         system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void sleep_while(const std::atomic<uint32_t>& word, uint32_t expected, uint32_t milliseconds) {
  const struct timespec time = {.tv_sec = milliseconds / 1000,
                                .tv_nsec = static_cast<long>(milliseconds % 1000) * 1'000'000};
  system_call(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, milliseconds != 0 ? &time : nullptr,
              nullptr, 0);
}

void wake_all(const std::atomic<uint32_t>& word) {
  system_call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

namespace {

uint64_t clock_ns(clockid_t clock) {
  struct timespec now = {};
  if (on_hidden_thread()) {
    // A program may have a clock_gettime() of its own, which needs thread-local data.
    system_call(SYS_clock_gettime, clock, &now);
  } else {
    clock_gettime(clock, &now);  // never sets errno for these clocks
  }
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

uint64_t wall_clock_ns() { return clock_ns(CLOCK_REALTIME); }

char** environment() { return environ; }

bool is_privileged() { return getauxval(AT_SECURE) != 0; }

uint64_t peak_resident_bytes() {
  struct rusage usage = {};
  return system_call(SYS_getrusage, RUSAGE_SELF, &usage) == 0
             ? static_cast<uint64_t>(usage.ru_maxrss) * 1024
             : 0;
}
uintptr_t program_entry() { return getauxval(AT_ENTRY); }

uint32_t process_id() { return static_cast<uint32_t>(system_call(SYS_getpid)); }

std::string_view program_name() {
  constexpr size_t kMaxBytes = 255;  // NAME_MAX
  const auto* path = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (path == nullptr) {
    return {};
  }
  const char* name = path;
  size_t length = 0;
  for (const char* at = path; *at != '\0'; ++at) {
    name = *at == '/' ? at + 1 : name;
    length = static_cast<size_t>(at + 1 - name);
  }
  return {name, length < kMaxBytes ? length : kMaxBytes};
}

void let_user_debug() {
  constexpr int kSetPtracer = 0x59616d61;  // PR_SET_PTRACER, "Yama"
  system_call(SYS_prctl, kSetPtracer, ~0UL, 0, 0, 0);
}

uint32_t thread_id() { return static_cast<uint32_t>(system_call(SYS_gettid)); }

bool is_asleep(uint32_t thread) {
  Line<64> path;
  path.text("/proc/self/task/").number(thread).text("/stat");
  char buffer[128];
  const std::string_view text = read_file(path.c_str(), buffer, sizeof buffer);
  // "NUMBER (NAME) STATE ...", where the name may have anything in it.
  const size_t name_end = text.rfind(')');
  return name_end != std::string_view::npos && name_end + 2 < text.size() &&
         text[name_end + 2] == 'S';
}

void abort_process() {
  if (on_hidden_thread()) {
    // abort() and the program's handlers need a thread that the C library knows.
    const uint64_t default_action[4] = {};
    const uint64_t all_but_abort = ~(uint64_t{1} << (SIGABRT - 1));
    system_call(SYS_rt_sigaction, SIGABRT, default_action, nullptr, sizeof all_but_abort);
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, &all_but_abort, nullptr, sizeof all_but_abort);
    system_call(SYS_tgkill, process_id(), thread_id(), SIGABRT);
  }
  abort();
}

}  // namespace spillway::os
