// SPDX-License-Identifier: MIT
#include "shim/new_failure.h"

#include <new>

#include "alloc/base/attributes.h"
#include "shim/cxx_runtime.h"
#include "shim/new_heap.h"

namespace spillway::shim {
namespace {

void* allocate_again(size_t alignment, size_t size) {
  return alignment == 0 ? allocate(size) : allocate_aligned(alignment, size);
}

}  // namespace

SPILLWAY_COLD void* new_retry(size_t alignment, size_t size) {
  for (;;) {
    const std::new_handler handler = new_handler();
    if (handler == nullptr) {
      throw_bad_alloc();
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
  // Not by an exception where none is asked for: the run-time library ends the program when there
  // is no memory for it.
  if (new_handler() == nullptr) {
    return nullptr;
  }
  try {
    return new_retry(alignment, size);
  } catch (...) {
    return nullptr;
  }
}

SPILLWAY_COLD void* new_or_null(void* form(size_t), size_t size) noexcept {
  try {
    return form(size);
  } catch (...) {
    return nullptr;
  }
}

SPILLWAY_COLD void* new_or_null(void* form(size_t, std::align_val_t), size_t size,
                                std::align_val_t alignment) noexcept {
  try {
    return form(size, alignment);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace spillway::shim
