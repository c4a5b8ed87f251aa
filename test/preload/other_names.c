// SPDX-License-Identifier: MIT
// cfree, free_sized, free_aligned_sized and the __libc_ names take and give blocks of the same heap
// as malloc and free.
#include <dlfcn.h>

#include "family.h"

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void* __libc_valloc(size_t);
extern void* __libc_pvalloc(size_t);
extern void __libc_free(void*);

typedef void (*FreeSized)(void*, size_t);
typedef void (*FreeAlignedSized)(void*, size_t, size_t);
typedef void (*Free)(void*);

static void check_libc_names(void) {
  for (size_t i = 0; i < kSizeCount; i++) {
    size_t n = kSizes[i] + 8;
    void* p = __libc_malloc(n);
    stamp(p, n, 1);
    CHECK_COMPARE(malloc_usable_size(p), >=, n);
    free(p);
    p = __libc_calloc(2, n);
    CHECK(all_zero(p, 2 * n));
    p = realloc(p, n);
    CHECK(all_zero(p, n));
    p = __libc_realloc(p, 3 * n);
    CHECK(all_zero(p, n));
    free(p);
    p = __libc_memalign(4096, n);
    CHECK(aligned_to(p, 4096));
    free(p);
    p = __libc_valloc(n);
    CHECK(aligned_to(p, 4096));
    free(p);
    p = __libc_pvalloc(n);
    CHECK(aligned_to(p, 4096));
    __libc_free(p);
    p = malloc(n);
    __libc_free(p);
  }
  __libc_free(NULL);
}

int main(void) {
  check_libc_names();
  Free old_free = (Free)dlsym(RTLD_DEFAULT, "cfree");
  FreeSized free_sized = (FreeSized)dlsym(RTLD_DEFAULT, "free_sized");
  FreeAlignedSized free_aligned_sized = (FreeAlignedSized)dlsym(RTLD_DEFAULT, "free_aligned_sized");
  if (free_sized == NULL && getenv("LD_PRELOAD") == NULL) SKIP("this libc has no free_sized");
  CHECK(old_free != NULL && free_sized != NULL && free_aligned_sized != NULL);
  for (int round = 0; round < 100; round++) {
    for (size_t i = 0; i < kSizeCount; i++) {
      size_t n = kSizes[i];
      errno = 4711;
      free_sized(malloc(n), n);
      free_sized(malloc(n), n + 1);  // a wrong size is a wrong hint, no more
      free_sized(malloc(n), 0);
      free_aligned_sized(aligned_alloc(64, n), 64, n);
      free_aligned_sized(aligned_alloc(8192, n), 8192, n);
      free_aligned_sized(aligned_alloc(8192, n), 16, 1);
      old_free(malloc(n));
      CHECK_COMPARE(errno, ==, 4711);
    }
  }
  free_sized(NULL, 10);
  free_aligned_sized(NULL, 64, 10);
  old_free(NULL);
  return 0;
}
