// The process part of os.h.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::os {

uint64_t random_bits() {
  const ErrnoKeeper keeper;
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits) {
    bits = reinterpret_cast<uintptr_t>(&bits) * 0x9e3779b97f4a7c15U;  // golden ratio: spreads it
  }
  return bits;
}

uint32_t processors() {
  // relaxed: whoever asks first gets the same answer as others who do.
  static constinit std::atomic<uint32_t> known{0};
  uint32_t count = known.load(std::memory_order_relaxed);
  if (count == 0) {
    const ErrnoKeeper keeper;
    cpu_set_t allowed;
    count = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                ? static_cast<uint32_t>(CPU_COUNT(&allowed))
                : CPU_SETSIZE;  // more than the set has room for
    known.store(count, std::memory_order_relaxed);
  }
  return count;
}

void yield() {
  const ErrnoKeeper keeper;
  sched_yield();
}

bool barrier_in_all_threads() {
  const ErrnoKeeper keeper;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) {
    return true;
  }
  // The first time, and after an exec or a fork: the process has to say that it will ask.
  return errno == EPERM &&
         syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
         syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool start_thread(void* (*body)(void*), const char* name) {
  // The program's static thread-local data lies on the stack, too: as much more as it takes.
  constexpr size_t kLeastStack = 64 * 1024;
  constexpr size_t kMostStack = 4096 * 1024;
  const ErrnoKeeper keeper;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = EINVAL;
  for (size_t stack = kLeastStack; error == EINVAL && stack <= kMostStack; stack *= 4) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack);
    pthread_t thread;
    error = pthread_create(&thread, &attributes, body, nullptr);
    pthread_attr_destroy(&attributes);
    if (error == 0) {
      pthread_setname_np(thread, name);
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error == 0;
}

void sleep_while(const std::atomic<uint32_t>& word, uint32_t expected, uint32_t milliseconds) {
  const ErrnoKeeper keeper;
  const struct timespec time = {.tv_sec = milliseconds / 1000,
                                .tv_nsec = static_cast<long>(milliseconds % 1000) * 1'000'000};
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, milliseconds != 0 ? &time : nullptr,
          nullptr, 0);
}

void wake_all(const std::atomic<uint32_t>& word) {
  const ErrnoKeeper keeper;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

uint64_t monotonic_ns() {
  struct timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

char** environment() { return environ; }

bool is_privileged() { return getauxval(AT_SECURE) != 0; }

uint32_t process_id() { return static_cast<uint32_t>(getpid()); }

void write_text(int descriptor, std::string_view text) {
  const ErrnoKeeper keeper;
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

int open_for_writing(const char* path) {
  const ErrnoKeeper keeper;
  return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

void close_descriptor(int descriptor) {
  const ErrnoKeeper keeper;
  close(descriptor);
}

int duplicate_descriptor(int descriptor) {
  constexpr int kOutOfTheWay = 200;
  const ErrnoKeeper keeper;
  return fcntl(descriptor, F_DUPFD_CLOEXEC, kOutOfTheWay);
}

void abort_process() { abort(); }

}  // namespace spillway::os
