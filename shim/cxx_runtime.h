// SPDX-License-Identifier: MIT
// The two things that a failing operator new needs of the C++ run-time library. The preload
// library, which programs without one load too, asks for them through weak symbols; the static
// library's operators are in C++ programs only and say it in C++, which every such library
// understands.
#pragma once

#include <new>

#if !SPILLWAY_NEW_APART

// libstdc++ and libc++ name the thrower differently.
extern "C++" std::new_handler get_new_handler_if_any() noexcept __asm__("_ZSt15get_new_handlerv")
    __attribute__((weak));
extern "C++" [[noreturn]] void throw_bad_alloc_libstdcxx() __asm__("_ZSt17__throw_bad_allocv")
    __attribute__((weak));
extern "C++" [[noreturn]] void throw_bad_alloc_libcxx() __asm__("_ZNSt3__117__throw_bad_allocEv")
    __attribute__((weak));

// The compiler's own references for a catch block, made weak as well.
__asm__(
    ".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak __cxa_rethrow\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

#endif

namespace spillway::shim {

#if SPILLWAY_NEW_APART

inline std::new_handler new_handler() { return std::get_new_handler(); }
[[noreturn]] inline void throw_bad_alloc() { throw std::bad_alloc(); }

#else

inline std::new_handler new_handler() {
  return get_new_handler_if_any != nullptr ? get_new_handler_if_any() : nullptr;
}
// Returns where nothing can be thrown.
inline void throw_bad_alloc() {
  if (throw_bad_alloc_libstdcxx != nullptr) {
    throw_bad_alloc_libstdcxx();
  }
  if (throw_bad_alloc_libcxx != nullptr) {
    throw_bad_alloc_libcxx();
  }
}

#endif

}  // namespace spillway::shim
