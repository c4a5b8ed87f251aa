// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include "alloc/config/options.h"
#include "alloc/heap/state.h"
#include "shim/dlopen.h"

int spillway_entry_dlopen_flags(int flags) noexcept {
  spillway::heap::ensure_started();
  const auto deepbind = spillway::heap::options().choice<spillway::config::Deepbind>(
      spillway::config::Option::deepbind);
  return deepbind == spillway::config::Deepbind::kKept ? flags : flags & ~RTLD_DEEPBIND;
}
