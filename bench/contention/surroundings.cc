// SPDX-License-Identifier: MIT
#include "bench/contention/surroundings.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/contention/clock.h"

namespace bench::contention {
namespace {

constexpr const char* kProcessors = "BENCH_CONTENTION_PROCESSORS";
constexpr const char* kMemory = "BENCH_CONTENTION_MEMORY_GIB";

// 0: as there is.
int number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::atoi(text) : 0;
}
int pretended() { return number_in(kProcessors); }
long pretended_bytes() { return static_cast<long>(number_in(kMemory)) << 30; }

void add_tunable(std::string& all, const std::string& name, const std::string& value) {
  if (all.find(name + "=") == std::string::npos) {
    all += (all.empty() ? "" : ":") + name + "=" + value;
  }
}

}  // namespace

void pretend(unsigned processors, unsigned memory_gib) {
  setenv(kProcessors, std::to_string(processors).c_str(), 1);
  setenv(kMemory, std::to_string(memory_gib).c_str(), 1);
  const char* const given = std::getenv("GLIBC_TUNABLES");
  std::string tunables = given != nullptr ? given : "";
  constexpr unsigned kArenasPerProcessor = 8;
  add_tunable(tunables, "glibc.malloc.arena_max", std::to_string(kArenasPerProcessor * processors));
  add_tunable(tunables, "glibc.cpu.hwcaps", "-AVX512F,-AVX512VL,-AVX512BW");
  setenv("GLIBC_TUNABLES", tunables.c_str(), 1);
}

}  // namespace bench::contention

namespace {

using bench::contention::pretended;
using bench::contention::pretended_bytes;

// The linker's.
extern "C" const char __executable_start;
extern "C" const char etext;

bool is_of_this_program(void* (*body)(void*)) {
  const auto* const code = reinterpret_cast<const char*>(body);
  return code >= &__executable_start && code < &etext;
}

[[noreturn]] void* sleep_for_good(void* /*argument*/) {
  for (;;) {
    pause();
  }
}

}  // namespace

extern "C" {

long __sysconf(int name) noexcept;  // the library's, under its other name

long sysconf(int name) noexcept {
  const int count = pretended();
  if (name == _SC_PHYS_PAGES && pretended_bytes() != 0) {
    return pretended_bytes() / __sysconf(_SC_PAGESIZE);
  }
  const bool asks = name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF;
  return asks && count > 0 ? count : __sysconf(name);
}

int get_nprocs() noexcept { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }
int get_nprocs_conf() noexcept { return static_cast<int>(sysconf(_SC_NPROCESSORS_CONF)); }

int sysinfo(struct sysinfo* info) noexcept {
  if (syscall(SYS_sysinfo, info) != 0) {
    return -1;
  }
  if (pretended_bytes() != 0) {
    info->totalram = static_cast<unsigned long>(pretended_bytes()) / info->mem_unit;
  }
  return 0;
}

int sched_getaffinity(pid_t process, std::size_t bytes, cpu_set_t* set) noexcept {
  const int count = pretended();
  if (count == 0) {
    const long written = syscall(SYS_sched_getaffinity, process, bytes, set);
    if (written < 0) {
      return -1;
    }
    std::fill_n(reinterpret_cast<char*>(set) + written, bytes - static_cast<std::size_t>(written),
                '\0');
    return 0;
  }
  CPU_ZERO_S(bytes, set);
  for (int processor = 0; processor < count; ++processor) {
    CPU_SET_S(static_cast<std::size_t>(processor), bytes, set);
  }
  return 0;
}

int pthread_getaffinity_np(pthread_t /*thread*/, std::size_t bytes, cpu_set_t* set) noexcept {
  return sched_getaffinity(0, bytes, set) == 0 ? 0 : errno;
}

using Body = void*(void*);

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, Body* body,
                   void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, Body*, void*);
  static const auto real = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  const bool runs = pretended() == 0 || is_of_this_program(body);
  return real(thread, attributes, runs ? body : sleep_for_good, argument);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (pretended() == 0) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  return bench::contention::process_clock().read(clock, time);
}

// The same bytes each time: what is drawn here are places and cookies.
ssize_t getrandom(void* buffer, std::size_t bytes, unsigned flags) {
  if (pretended() == 0) {
    return syscall(SYS_getrandom, buffer, bytes, flags);
  }
  std::memset(buffer, 0x5a, bytes);
  return static_cast<ssize_t>(bytes);
}

// A thread that an allocator starts below the C library: it does not run.
int clone(int (* /*body*/)(void*), void* /*stack*/, int /*flags*/, void* /*argument*/,
          ...) noexcept {
  constexpr int kNoThread = 1 << 22;  // above the kernel's own numbers
  return kNoThread;
}

}  // extern "C"
