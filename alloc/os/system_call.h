// SPDX-License-Identifier: MIT
// System calls without the C library: no errno, no cancellation point, no thread-local data. A
// thread that the C library does not know (os.h, start_thread) may make them, and so may code that
// interrupts the library anywhere.
#pragma once

#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <type_traits>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <unistd.h>

#include "alloc/os/errno_keeper.h"
#endif

namespace spillway::os {
namespace detail {

template <typename Argument>
long word(Argument argument) {
  if constexpr (std::is_pointer_v<Argument>) {
    return reinterpret_cast<long>(argument);
  } else if constexpr (std::is_null_pointer_v<Argument>) {
    return 0;
  } else {
    return static_cast<long>(argument);
  }
}

inline long call_words(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) {
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
  const ErrnoKeeper keeper;
  const long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -long{errno} : result;
#endif
}

}  // namespace detail

// The kernel's answer: a value, or the negative of an error's number. At most six arguments, each
// an integer or a pointer.
template <typename... Arguments>
long system_call(long number, Arguments... arguments) {
  static_assert(sizeof...(Arguments) <= 6);
  return detail::call_words(number, detail::word(arguments)...);
}

}  // namespace spillway::os
