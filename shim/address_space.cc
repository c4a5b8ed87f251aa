// setrlimit and prlimit: a program that limits its own address space finds the heap's reservation
// gone. Otherwise these are libc's, a system call and no more.
#include <sys/resource.h>
#include <sys/types.h>

#include <cerrno>

#include "alloc/heap/reservation.h"
#include "alloc/os/os.h"
#include "alloc/os/system_call.h"
#include "shim/export.h"

namespace {

int limit(pid_t process, int resource, const rlimit* wanted, rlimit* before) {
  const bool own = process == 0 || static_cast<uint32_t>(process) == spillway::os::process_id();
  if (own && resource == RLIMIT_AS && wanted != nullptr && wanted->rlim_cur != RLIM_INFINITY) {
    spillway::heap::make_room_below(wanted->rlim_cur);
  }
  const long answer = spillway::os::system_call(SYS_prlimit64, process, resource, wanted, before);
  if (answer < 0) {
    errno = static_cast<int>(-answer);
    return -1;
  }
  return 0;
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
