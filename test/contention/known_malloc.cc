// SPDX-License-Identifier: MIT
// An allocator for bench_contention's own test: malloc is one atomic addition to a counter that all
// threads share, free one system call. With HANG=lock in the environment the 9,000th malloc waits
// for a lock that is never given back, as does every one after it, and with HANG=spin it spins:
// behind the warm-up.
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace {

constexpr uint64_t kRoom = uint64_t{1} << 40;  // address space: nothing is given back
constexpr uint64_t kHangsAfter = 9'000;

alignas(64) std::atomic<uint64_t> used;
alignas(64) std::atomic<uint32_t> held = 1;
alignas(64) char* room = nullptr;
std::atomic<uint64_t> calls_left = UINT64_MAX;  // before it hangs
bool spins = false;

__attribute__((constructor)) void read_environment() {
  if (const char* const hang = getenv("HANG"); hang != nullptr) {
    spins = strcmp(hang, "spin") == 0;
    calls_left.store(kHangsAfter);
  }
}

void hang() {
  while (held.load() != 0) {
    if (!spins) {
      syscall(SYS_futex, &held, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
    }
  }
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  if (room == nullptr) {
    room = static_cast<char*>(mmap(nullptr, kRoom, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  }
  if (const uint64_t left = calls_left.load(); left != UINT64_MAX) {
    if (left == 0) {
      hang();
    }
    calls_left.store(left - 1);
  }
  // The size in front, for realloc.
  char* const block = room + used.fetch_add((size + 31) & ~size_t{15}, std::memory_order_relaxed);
  return block + 16;
}

void free(void* block) {
  if (block != nullptr) {
    syscall(SYS_getpid);
  }
}

void* calloc(size_t count, size_t size) { return malloc(count * size); }

// Blocks only grow up; what lies behind the old one is copied with it, and is mapped.
void* realloc(void* block, size_t size) {
  void* const moved = malloc(size);
  return block == nullptr ? moved : memcpy(moved, block, size);
}

}  // extern "C"
