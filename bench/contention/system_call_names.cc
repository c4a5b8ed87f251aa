// SPDX-License-Identifier: MIT
#include "bench/contention/system_call_names.h"

#include <sys/syscall.h>

#include <algorithm>
#include <iterator>

namespace bench::contention {
namespace {

struct Name {
  long number;
  const char* text;
};

constexpr Name kNames[] = {
    {SYS_brk, "brk"},
    {SYS_clock_gettime, "clock_gettime"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_close, "close"},
    {SYS_exit_group, "exit_group"},
    {SYS_fstat, "fstat"},
    {SYS_futex, "futex"},
    {SYS_getcpu, "getcpu"},
    {SYS_getpid, "getpid"},
    {SYS_getrandom, "getrandom"},
    {SYS_getrusage, "getrusage"},
    {SYS_gettid, "gettid"},
    {SYS_gettimeofday, "gettimeofday"},
    {SYS_lseek, "lseek"},
    {SYS_madvise, "madvise"},
    {SYS_mbind, "mbind"},
    {SYS_membarrier, "membarrier"},
    {SYS_mincore, "mincore"},
    {SYS_mlock, "mlock"},
    {SYS_mmap, "mmap"},
    {SYS_mprotect, "mprotect"},
    {SYS_mremap, "mremap"},
    {SYS_munmap, "munmap"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_openat, "openat"},
    {SYS_prctl, "prctl"},
    {SYS_pread64, "pread64"},
    {SYS_read, "read"},
    {SYS_rt_sigprocmask, "rt_sigprocmask"},
    {SYS_sched_getaffinity, "sched_getaffinity"},
    {SYS_sched_yield, "sched_yield"},
    {SYS_write, "write"},
};

}  // namespace

std::string system_call_name(uint64_t number) {
  const auto* const found = std::find_if(
      std::begin(kNames), std::end(kNames),
      [number](const Name& name) { return static_cast<uint64_t>(name.number) == number; });
  return found != std::end(kNames) ? found->text : "call_" + std::to_string(number);
}

}  // namespace bench::contention
