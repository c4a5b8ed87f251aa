// SPDX-License-Identifier: MIT
// Calls that the kernel grants to processes of one thread only, as they may be but for the
// library's own: it ends before and comes back after. Otherwise these are libc's, system calls and
// no more.
#include <sched.h>

#include <cerrno>

#include "alloc/heap/background.h"
#include "alloc/heap/scavenger.h"
#include "alloc/os/system_call.h"
#include "shim/export.h"

namespace {

template <typename... Arguments>
int call_alone(long number, Arguments... arguments) {
  spillway::heap::end_background();
  const long answer = spillway::os::system_call(number, arguments...);
  spillway::heap::resume_scavenging_in_background();
  if (answer < 0) {
    errno = static_cast<int>(-answer);
    return -1;
  }
  return static_cast<int>(answer);
}

}  // namespace

SPILLWAY_EXPORT int unshare(int flags) noexcept { return call_alone(SYS_unshare, flags); }
SPILLWAY_EXPORT int setns(int descriptor, int kind) noexcept {
  return call_alone(SYS_setns, descriptor, kind);
}
