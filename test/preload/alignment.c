// SPDX-License-Identifier: MIT
// The aligned entries: every power of two to 8 MiB and 2^30, over every size; bad alignments;
// posix_memalign's promises.
#include <sys/mman.h>

#include "family.h"

static void* const kSentinel = (void*)(uintptr_t)0x5117;

static void check_block(void* p, size_t alignment, size_t n) {
  CHECK(p != NULL);
  CHECK(aligned_to(p, alignment));
  CHECK_COMPARE(malloc_usable_size(p), >=, n);
  if (n >= 8) {
    stamp(p, n, alignment);
    CHECK(is_stamped(p, n, alignment));
  }
}

static void check_good(void) {
  for (size_t alignment = 8; alignment <= (size_t)8 << 20; alignment *= 2) {
    for (size_t i = 0; i < kSizeCount; i++) {
      size_t n = kSizes[i];
      void* a = memalign(alignment, n);
      check_block(a, alignment, n);
      void* b = aligned_alloc(alignment, n);  // n need not be a multiple
      check_block(b, alignment, n);
      void* c = kSentinel;
      errno = 4711;
      CHECK_COMPARE(posix_memalign(&c, alignment, n), ==, 0);
      CHECK_COMPARE(errno, ==, 4711);
      check_block(c, alignment, n);
      CHECK(a != b && b != c && a != c);
      if (n >= 8) CHECK(is_stamped(a, n, alignment) && is_stamped(b, n, alignment));
      free(a), free(b), free(c);
    }
  }
}

static void check_grown(void) {
  for (size_t alignment = 64; alignment <= (size_t)1 << 20; alignment *= 4) {
    void* p = memalign(alignment, 5000);
    CHECK(aligned_to(p, alignment));
    fill_bytes(p, 0, 5000, 1);
    p = realloc(p, 70000);
    CHECK(p != NULL && bytes_match(p, 0, 5000, 1));
    p = realloc(p, 100);
    CHECK(p != NULL && bytes_match(p, 0, 100, 1));
    free(p);
  }
}

static void check_bad(void) {
  const size_t bad_for_posix[] = {0, 1, 2, 3, 4, 7, 12, 24, 4095, 4097, SIZE_MAX};
  for (size_t i = 0; i < sizeof bad_for_posix / sizeof bad_for_posix[0]; i++) {
    for (size_t n = 1; n <= 1 << 22; n *= 32) {
      void* out = kSentinel;
      errno = 4711;
      CHECK_COMPARE(posix_memalign(&out, opaque_size(bad_for_posix[i]), n), ==, EINVAL);
      CHECK(out == kSentinel);
      CHECK_COMPARE(errno, ==, 4711);
    }
  }
  // libc's versions differ here: refused as invalid, or rounded up to a power of two.
  const size_t bad[] = {0, 3, 24, 4097};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    errno = 0;
    char* p = memalign(opaque_size(bad[i]), 10000);
    CHECK(p != NULL || errno == EINVAL);
    if (p != NULL) fill_bytes(p, 0, 10000, 0);
    free(p);
    errno = 0;
    p = aligned_alloc(opaque_size(bad[i]), 10000);
    CHECK(p != NULL || errno == EINVAL);
    if (p != NULL) fill_bytes(p, 0, 10000, 0);
    free(p);
  }
}

static void check_impossible(void) {
  for (size_t i = 0; i < kImpossibleCount; i++) {
    for (size_t alignment = 8; alignment <= (size_t)1 << 30; alignment *= 8) {
      void* out = kSentinel;
      CHECK_COMPARE(posix_memalign(&out, alignment, opaque_size(kImpossible[i])), ==, ENOMEM);
      CHECK(out == kSentinel);
      CHECK_NO_MEMORY(memalign(alignment, opaque_size(kImpossible[i])));
    }
  }
  void* out = kSentinel;
  errno = 4711;
  CHECK_COMPARE(posix_memalign(&out, 4096, opaque_size(PTRDIFF_MAX)), ==, ENOMEM);
  CHECK(out == kSentinel);
  CHECK_COMPARE(errno, ==, 4711);
  const size_t top = (size_t)1 << 63;  // a power of two that no block can have
  errno = 0;
  CHECK(opaque(memalign(opaque_size(top), 4096)) == NULL);
  CHECK(errno == ENOMEM || errno == EINVAL);
}

static void check_gigabyte(void) {
  const size_t giga = (size_t)1 << 30;
  void* room =
      mmap(NULL, 2 * giga + (64 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int enough = room != MAP_FAILED;
  if (enough) munmap(room, 2 * giga + (64 << 20));
  const size_t sizes[] = {1, 100, 4096, 65536, 1 << 20, 3 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    errno = 0;
    void* p = memalign(giga, sizes[i]);
    if (!enough && p == NULL) {
      CHECK_COMPARE(errno, ==, ENOMEM);
      continue;
    }
    check_block(p, giga, sizes[i]);
    free(p);
  }
}

static void check_pages(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t i = 0; i < kSizeCount; i++) {
    void* v = valloc(kSizes[i]);
    check_block(v, page, kSizes[i]);
    void* p = pvalloc(kSizes[i]);
    check_block(p, page, kSizes[i]);
    CHECK_COMPARE(malloc_usable_size(p), >=, (kSizes[i] + page - 1) / page * page);
    free(v), free(p);
  }
}

int main(void) {
  check_good();
  check_grown();
  check_bad();
  check_impossible();
  check_gigabyte();
  check_pages();
  return 0;
}
