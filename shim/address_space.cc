// SPDX-License-Identifier: MIT
// setrlimit, prlimit and mlockall: a program that limits its own address space, or locks all memory
// within a limit, finds the heap's reservation gone. Otherwise these are libc's, a system call and
// no more.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cerrno>

#include "alloc/heap/reservation.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/os/os.h"
#include "alloc/os/system_call.h"
#include "shim/export.h"

namespace {

int status_of(long answer) {
  if (answer < 0) {
    errno = static_cast<int>(-answer);
    return -1;
  }
  return 0;
}

int limit(pid_t process, int resource, const rlimit* wanted, rlimit* before) {
  const bool own = process == 0 || static_cast<uint32_t>(process) == spillway::os::process_id();
  if (own && resource == RLIMIT_AS && wanted != nullptr && wanted->rlim_cur != RLIM_INFINITY) {
    spillway::heap::make_room_below(wanted->rlim_cur);
  }
  return status_of(spillway::os::system_call(SYS_prlimit64, process, resource, wanted, before));
}

}  // namespace

static_assert(sizeof(rlimit) == sizeof(rlimit64), "one set of entries serves both");

SPILLWAY_EXPORT int spillway_setrlimit(int resource, const rlimit* wanted) noexcept
    __asm__("setrlimit");
SPILLWAY_EXPORT int spillway_setrlimit64(int resource, const rlimit* wanted) noexcept
    __asm__("setrlimit64");
SPILLWAY_EXPORT int spillway_prlimit(pid_t process, int resource, const rlimit* wanted,
                                     rlimit* before) noexcept __asm__("prlimit");
SPILLWAY_EXPORT int spillway_prlimit64(pid_t process, int resource, const rlimit* wanted,
                                       rlimit* before) noexcept __asm__("prlimit64");
SPILLWAY_EXPORT int spillway_mlockall(int flags) noexcept __asm__("mlockall");

int spillway_setrlimit(int resource, const rlimit* wanted) noexcept {
  return limit(0, resource, wanted, nullptr);
}
int spillway_setrlimit64(int resource, const rlimit* wanted) noexcept {
  return limit(0, resource, wanted, nullptr);
}
int spillway_prlimit(pid_t process, int resource, const rlimit* wanted, rlimit* before) noexcept {
  return limit(process, resource, wanted, before);
}
int spillway_prlimit64(pid_t process, int resource, const rlimit* wanted, rlimit* before) noexcept {
  return limit(process, resource, wanted, before);
}
int spillway_mlockall(int flags) noexcept {
  if (spillway::mimalloc::has_sanitizer_heap()) {
    return 0;  // as sanitizers answer: they reserve more than can be locked
  }
  long answer = spillway::os::system_call(SYS_mlockall, flags);
  if (answer == -ENOMEM && spillway::heap::make_room_to_lock()) {
    answer = spillway::os::system_call(SYS_mlockall, flags);
  }
  if (answer == 0 && (flags & MCL_ONFAULT) == 0) {
    spillway::heap::note_locked();
  }
  return status_of(answer);
}
