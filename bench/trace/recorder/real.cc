// SPDX-License-Identifier: MIT
#include "bench/trace/recorder/real.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace bench::trace {
namespace {

// Enough for dlsym()'s own needs by far.
constexpr std::size_t kReserveBytes = 65536;
constexpr std::size_t kGrain = 16;

alignas(kGrain) char g_reserve[kReserveBytes];
// Relaxed: it only deals out bytes.
std::atomic<std::size_t> g_reserve_used{0};

// A block of the reserve has its size in the 16 bytes before it. The memory is zero.
void* take_reserve(std::size_t size) {
  const std::size_t whole = kGrain + (size + kGrain - 1) / kGrain * kGrain;
  if (size > kReserveBytes || whole > kReserveBytes) {
    return nullptr;
  }
  const std::size_t at = g_reserve_used.fetch_add(whole, std::memory_order_relaxed);
  if (at > kReserveBytes - whole) {
    give_up("spillway: record: the C library needs more memory to find malloc than foreseen\n");
  }
  std::memcpy(g_reserve + at, &size, sizeof size);
  return g_reserve + at + kGrain;
}

void* reserve_calloc(std::size_t count, std::size_t size) {
  std::size_t whole = 0;
  return __builtin_mul_overflow(count, size, &whole) ? nullptr : take_reserve(whole);
}

void* reserve_realloc(void* old, std::size_t size) {
  void* block = take_reserve(size);
  if (block != nullptr && old != nullptr) {
    const std::size_t kept = reserve_size(old);
    std::memcpy(block, old, kept < size ? kept : size);
  }
  return block;
}

void reserve_free(void*) {}
int no_posix_memalign(void**, std::size_t, std::size_t) { return ENOMEM; }
void* no_aligned(std::size_t, std::size_t) { return nullptr; }
void* no_pages(std::size_t) { return nullptr; }

constexpr Real kReserve = {take_reserve, reserve_calloc,    reserve_realloc,
                           reserve_free, no_posix_memalign, no_aligned,
                           no_aligned,   no_pages,          no_pages};

Real g_real;
// Release on set, acquire on read: a thread that sees it sees g_real.
std::atomic<bool> g_found{false};
thread_local bool t_looking = false;

template <typename Function>
void find(Function& function, const char* name) {
  void* address = dlsym(RTLD_NEXT, name);
  if (address == nullptr) {
    give_up("spillway: record: no allocator stands behind the recorder\n");
  }
  function = reinterpret_cast<Function>(address);
}

void find_all() {
  const int error = errno;
  Real found{};
  find(found.malloc, "malloc");
  find(found.calloc, "calloc");
  find(found.realloc, "realloc");
  find(found.free, "free");
  find(found.posix_memalign, "posix_memalign");
  find(found.aligned_alloc, "aligned_alloc");
  find(found.memalign, "memalign");
  find(found.valloc, "valloc");
  find(found.pvalloc, "pvalloc");
  // Two threads may come here at once; both write the same.
  g_real = found;
  g_found.store(true, std::memory_order_release);
  errno = error;
}

}  // namespace

const Real& real() {
  if (!g_found.load(std::memory_order_acquire)) {
    if (t_looking) {
      return kReserve;
    }
    t_looking = true;
    find_all();
    t_looking = false;
  }
  return g_real;
}

bool from_reserve(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(g_reserve) <
         kReserveBytes;
}

std::size_t reserve_size(const void* block) {
  std::size_t size = 0;
  std::memcpy(&size, static_cast<const char*>(block) - kGrain, sizeof size);
  return size;
}

void give_up(const char* line) {
  // Not write(), where a cancelled thread would end instead.
  syscall(SYS_write, STDERR_FILENO, line, std::strlen(line));
  std::abort();
}

}  // namespace bench::trace
