#include "shim/new_failure.h"

#include <cstdlib>
#include <new>

#include "alloc/base/attributes.h"
#include "alloc/heap/heap.h"

// The one thing both C++ run-time libraries have; libstdc++ and libc++ name the thrower differently.
extern "C++" std::new_handler get_new_handler_if_any() noexcept
    __asm__("_ZSt15get_new_handlerv") __attribute__((weak));
extern "C++" [[noreturn]] void throw_bad_alloc_libstdcxx() __asm__("_ZSt17__throw_bad_allocv")
    __attribute__((weak));
extern "C++" [[noreturn]] void throw_bad_alloc_libcxx() __asm__("_ZNSt3__117__throw_bad_allocEv")
    __attribute__((weak));

// The compiler's own references for the catch block below, made weak as well.
__asm__(
    ".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak __cxa_rethrow\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

namespace spillway::shim {
namespace {

void* allocate_again(size_t alignment, size_t size) {
  return alignment == 0 ? heap::allocate(size) : heap::allocate_aligned(alignment, size);
}

}  // namespace

SPILLWAY_COLD void* new_retry(size_t alignment, size_t size) {
  for (;;) {
    const std::new_handler handler =
        get_new_handler_if_any != nullptr ? get_new_handler_if_any() : nullptr;
    if (handler == nullptr) {
      if (throw_bad_alloc_libstdcxx != nullptr) {
        throw_bad_alloc_libstdcxx();
      }
      if (throw_bad_alloc_libcxx != nullptr) {
        throw_bad_alloc_libcxx();
      }
      return nullptr;
    }
    handler();
    void* block = allocate_again(alignment, size);
    if (block != nullptr) {
      return block;
    }
  }
}

SPILLWAY_COLD void* new_retry_nothrow(size_t alignment, size_t size) noexcept {
  try {
    return new_retry(alignment, size);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace spillway::shim
