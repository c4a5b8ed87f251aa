// SPDX-License-Identifier: MIT
// The least that a preloaded allocator can cost: it knows one block. A malloc of 4 KiB to 1 MiB
// gets it, and free takes it back: a flag, a comparison, and what a call through the loader's table
// costs. Where it is taken, the next one asked for becomes the one block. All else is glibc's. What
// bench_calls measures with it (pair/...) no allocator that keeps any books can be below.
//
// For one thread: a block freed by another is glibc's from then on, and its address confuses us.
#include <malloc.h>
#include <stddef.h>

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_realloc(void* pointer, size_t size);
void __libc_free(void* pointer);

}  // extern "C"

namespace {

constexpr size_t kMin = 4096;
constexpr size_t kMax = 1048576;

#define INITIAL_EXEC __attribute__((tls_model("initial-exec")))
INITIAL_EXEC thread_local void* block = nullptr;
INITIAL_EXEC thread_local bool taken = false;

__attribute__((noinline)) void* allocate_slowly(size_t size) {
  if (size - kMin > kMax - kMin) {
    return __libc_malloc(size);
  }
  // One that is taken is glibc's from now on: it may be for long.
  block = __libc_malloc(kMax);
  taken = block != nullptr;
  return block;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void* malloc(size_t size) {
  if (__builtin_expect(size - kMin <= kMax - kMin && block != nullptr && !taken, 1)) {
    taken = true;
    return block;
  }
  return allocate_slowly(size);
}

__attribute__((visibility("default"))) void free(void* pointer) {
  if (__builtin_expect(pointer == block, 1)) {
    taken = false;
    return;
  }
  __libc_free(pointer);
}

__attribute__((visibility("default"))) void* realloc(void* pointer, size_t size) {
  if (pointer == block) {  // glibc's from now on, like any other
    block = nullptr;
    taken = false;
  }
  return __libc_realloc(pointer, size);
}

}  // extern "C"
