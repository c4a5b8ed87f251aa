// Compiler attributes by the names the rest of the code uses. Language only; includable by
// everyone.
#pragma once

#define SPILLWAY_ALWAYS_INLINE inline __attribute__((always_inline))
// For the functions behind a fast path: never inlined, laid out away from it.
#define SPILLWAY_COLD __attribute__((noinline, cold))
#define SPILLWAY_NOINLINE __attribute__((noinline))
#define SPILLWAY_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SPILLWAY_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
// A thread-local in the static TLS block: one load to reach, no call into the dynamic linker.
#define SPILLWAY_TLS __attribute__((tls_model("initial-exec"))) thread_local
