// SPDX-License-Identifier: MIT
// The functions of C that allocate, in front of the allocator's own.
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/trace/recorder/call.h"
#include "bench/trace/recorder/real.h"

#define SPILLWAY_HOOK __attribute__((visibility("default")))

namespace {

using bench::trace::Call;
using bench::trace::from_reserve;
using bench::trace::RawOp;
using bench::trace::real;
using bench::trace::reserve_size;

// 0 for what is no power of two, which an allocator may have accepted.
unsigned log2_of(size_t alignment) {
  return alignment != 0 && (alignment & (alignment - 1)) == 0
             ? static_cast<unsigned>(__builtin_ctzl(alignment))
             : 0;
}

unsigned page_log2() { return log2_of(static_cast<size_t>(sysconf(_SC_PAGESIZE))); }

}  // namespace

extern "C" {

SPILLWAY_HOOK void* malloc(size_t size) noexcept {
  const Call call;
  void* block = real().malloc(size);
  call.made(RawOp::kMalloc, block, size);
  return block;
}

SPILLWAY_HOOK void* calloc(size_t count, size_t size) noexcept {
  const Call call;
  void* block = real().calloc(count, size);
  call.made(RawOp::kCalloc, block, count * size);
  return block;
}

SPILLWAY_HOOK void free(void* block) noexcept {
  if (block == nullptr || from_reserve(block)) {
    return;
  }
  const Call call;
  call.ends(RawOp::kFree, block);
  real().free(block);
}

SPILLWAY_HOOK void* realloc(void* old, size_t size) noexcept {
  if (old != nullptr && from_reserve(old)) {
    void* block = malloc(size);
    if (block != nullptr) {
      memcpy(block, old, size < reserve_size(old) ? size : reserve_size(old));
    }
    return block;
  }
  const Call call;
  if (old == nullptr) {
    void* block = real().realloc(nullptr, size);
    call.made(RawOp::kMalloc, block, size);
    return block;
  }
  call.ends(RawOp::kReallocBegin, old);
  void* block = real().realloc(old, size);
  call.made(RawOp::kReallocEnd, block, size);
  return block;
}

// Not every allocator has its own; the C library's calls realloc.
SPILLWAY_HOOK void* reallocarray(void* old, size_t count, size_t size) noexcept {
  size_t whole = 0;
  if (__builtin_mul_overflow(count, size, &whole)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(old, whole);
}

SPILLWAY_HOOK int posix_memalign(void** result, size_t alignment, size_t size) noexcept {
  const Call call;
  const int error = real().posix_memalign(result, alignment, size);
  if (error == 0) {
    call.made(RawOp::kAligned, *result, size, log2_of(alignment));
  }
  return error;
}

SPILLWAY_HOOK void* aligned_alloc(size_t alignment, size_t size) noexcept {
  const Call call;
  void* block = real().aligned_alloc(alignment, size);
  call.made(RawOp::kAligned, block, size, log2_of(alignment));
  return block;
}

SPILLWAY_HOOK void* memalign(size_t alignment, size_t size) noexcept {
  const Call call;
  void* block = real().memalign(alignment, size);
  call.made(RawOp::kAligned, block, size, log2_of(alignment));
  return block;
}

SPILLWAY_HOOK void* valloc(size_t size) noexcept {
  const Call call;
  void* block = real().valloc(size);
  call.made(RawOp::kAligned, block, size, page_log2());
  return block;
}

SPILLWAY_HOOK void* pvalloc(size_t size) noexcept {
  const Call call;
  void* block = real().pvalloc(size);
  const size_t page = static_cast<size_t>(1) << page_log2();
  call.made(RawOp::kAligned, block, (size + page - 1) & ~(page - 1), page_log2());
  return block;
}

}  // extern "C"
