// SPDX-License-Identifier: MIT
// Whether requests are for the guarded heap (hardening.h).
#pragma once

#include <cstdint>

#include "alloc/base/owned_cell.h"

namespace spillway::heap {

enum class GuardMode : uint8_t { kOff, kSampling, kHardened };
// Set before the first block is handed out. Release and acquire: `guarded` goes with it.
inline constinit OwnedCell<GuardMode> guard_mode{GuardMode::kOff};

// Whether all requests are to have guarded blocks.
inline bool is_hardened() { return guard_mode.get_acquire() == GuardMode::kHardened; }

}  // namespace spillway::heap
