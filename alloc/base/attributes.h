// SPDX-License-Identifier: MIT
// Compiler attributes by the names the rest of the code uses. Language only; includable by
// everyone.
#pragma once

#define SPILLWAY_ALWAYS_INLINE inline __attribute__((always_inline))
// For the functions behind a fast path: never inlined, laid out away from it.
#define SPILLWAY_COLD __attribute__((noinline, cold))
#define SPILLWAY_NOINLINE __attribute__((noinline))
#define SPILLWAY_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SPILLWAY_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
// Where both ways are fast paths: the code of this one follows at once, a jump leads to the other,
// and neither is sent away or shares an ending.
#define SPILLWAY_FALL_THROUGH_IF(condition) __builtin_expect_with_probability(!!(condition), 1, 0.6)
// A thread-local in the static TLS block: one load to reach, no call into the dynamic linker.
#define SPILLWAY_TLS __attribute__((tls_model("initial-exec"))) thread_local
// For a big variable that few processes touch: the linker sorts by alignment, so that no small one
// lies on its pages or between two of its kind (preload/CMakeLists.txt).
#define SPILLWAY_OWN_PAGES alignas(4096)
