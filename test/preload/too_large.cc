// SPDX-License-Identifier: MIT
// Requests of more than the address space fail with ENOMEM at once: no mapping is made or given
// back for them, by mimalloc either, which calls the mmap and munmap that this program counts.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <new>

#include "family.h"

static size_t mappings = 0;

extern "C" void* mmap(void* at, size_t length, int rights, int flags, int file, off_t offset) {
  ++mappings;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, length, rights, flags, file, offset));
}
extern "C" int munmap(void* at, size_t length) {
  ++mappings;
  return static_cast<int>(syscall(SYS_munmap, at, length));
}

namespace {

const size_t kTooLarge[] = {
#ifdef __x86_64__
    size_t{1} << 47,
#endif
    size_t{1} << 48,
    (size_t{1} << 50) + 1,
    size_t{1} << 56,
    (size_t{1} << 62) + 4096,
    PTRDIFF_MAX - (size_t{1} << 40),
    PTRDIFF_MAX - 4096,
    PTRDIFF_MAX,
    size_t{PTRDIFF_MAX} + 1,
    SIZE_MAX - 4096,
    SIZE_MAX};
const size_t kAlignments[] = {16, 64, 4096, size_t{2} << 20, size_t{1} << 40};
const size_t kLive[] = {10, 1000, 20000, 3 << 20, 100 << 20};

template <typename Call>
void check_throws(Call call) {
  bool thrown = false;
  try {
    opaque(call());
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
}

void check_plain(size_t size) {
  CHECK_NO_MEMORY(malloc(size));
  CHECK_NO_MEMORY(calloc(size, 1));
  CHECK_NO_MEMORY(calloc(1, size));
  CHECK_NO_MEMORY(calloc(size / 8 + 1, 8));
  CHECK_NO_MEMORY(realloc(nullptr, size));
  CHECK_NO_MEMORY(reallocarray(nullptr, size / 8 + 1, 8));
  CHECK_NO_MEMORY(valloc(size));
  CHECK_NO_MEMORY(pvalloc(size));
}

void check_aligned(size_t alignment, size_t size) {
  CHECK_NO_MEMORY(memalign(alignment, size));
  CHECK_NO_MEMORY(aligned_alloc(alignment, size));
  void* block = &block;
  CHECK_COMPARE(posix_memalign(&block, alignment, size), ==, ENOMEM);
  CHECK(block == &block);
}

void check_new(size_t size) {
  const std::align_val_t alignment{64};
  CHECK(::operator new(size, std::nothrow) == nullptr);
  CHECK(::operator new[](size, std::nothrow) == nullptr);
  CHECK(::operator new(size, alignment, std::nothrow) == nullptr);
  check_throws([size] { return ::operator new(size); });
  check_throws([size] { return ::operator new[](size); });
  check_throws([=] { return ::operator new(size, alignment); });
}

// The block is left alone.
void check_realloc(void* block, size_t size, size_t live) {
  CHECK_NO_MEMORY(realloc(opaque(block), size));
  CHECK_NO_MEMORY(reallocarray(opaque(block), size / 8 + 1, 8));
  CHECK(malloc_usable_size(block) >= live && bytes_match(block, 0, live < 4096 ? live : 4096, 7));
}

}  // namespace

int main() {
  void* live[sizeof kLive / sizeof kLive[0]];
  for (size_t i = 0; i < sizeof kLive / sizeof kLive[0]; i++) {
    live[i] = malloc(kLive[i]);
    CHECK(live[i] != nullptr);
    fill_bytes(live[i], 0, kLive[i] < 4096 ? kLive[i] : 4096, 7);
  }
  check_throws(
      [] { return ::operator new(opaque_size(SIZE_MAX)); });  // what the first throw sets up
  const size_t before = mappings;
  for (size_t value : kTooLarge) {
    const size_t size = opaque_size(value);
    check_plain(size);
    for (size_t alignment : kAlignments) check_aligned(alignment, size);
    // As alignments: the powers of two among them.
    if ((size & (size - 1)) == 0) check_aligned(size, 100);
    check_new(size);
    for (size_t i = 0; i < sizeof kLive / sizeof kLive[0]; i++)
      check_realloc(live[i], size, kLive[i]);
  }
  CHECK_COMPARE(mappings, ==, before);
  free(malloc(size_t{200} << 20));  // mimalloc's: that it is counted
  CHECK_COMPARE(mappings, >, before);
  for (void* block : live) free(block);
  return 0;
}
