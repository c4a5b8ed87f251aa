// SPDX-License-Identifier: MIT
#include "test/os/faulty_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "alloc/os/os.h"
#include "test/resident.h"

namespace spillway::os {
namespace faulty {
namespace {

struct Plan {
  std::atomic<uint64_t> calls{0};
  uint64_t first_failure = UINT64_MAX;
  uint64_t after_failures = UINT64_MAX;
};

Plan plans[static_cast<size_t>(Call::kCount)];
uint64_t address_space = UINT64_MAX;
std::atomic<uint64_t> reserved{0};
std::atomic<uint64_t> huge_wanted{0};
bool by_protection = false;
void (*purge_call)(void* context) = nullptr;
void* purge_context = nullptr;

Plan& plan(Call call) { return plans[static_cast<size_t>(call)]; }

bool refused(Call call) {
  Plan& one = plan(call);
  const uint64_t number = one.calls.fetch_add(1);
  return number >= one.first_failure && number < one.after_failures;
}

int protection(Access access) {
  return access == Access::kNone   ? PROT_NONE
         : access == Access::kRead ? PROT_READ
                                   : PROT_READ | PROT_WRITE;
}

}  // namespace

void fail(Call call, uint64_t successes, uint64_t failures) {
  Plan& one = plan(call);
  one.first_failure = one.calls.load() + successes;
  one.after_failures =
      failures > UINT64_MAX - one.first_failure ? UINT64_MAX : one.first_failure + failures;
}

void reset() {
  for (Plan& one : plans) {
    one.calls = 0;
    one.first_failure = one.after_failures = UINT64_MAX;
  }
  address_space = UINT64_MAX;
  huge_wanted = 0;
  by_protection = false;
  purge_call = nullptr;
}

void deny_by_protection(bool wanted) { by_protection = wanted; }

void at_purge(void (*call)(void* context), void* context) {
  purge_call = call;
  purge_context = context;
}

uint64_t calls(Call call) { return plan(call).calls; }
void limit_address_space(uint64_t bytes) { address_space = bytes; }
uint64_t huge_bytes() { return huge_wanted; }

uint64_t reserved_bytes() { return reserved; }

}  // namespace faulty

size_t page_size() { return static_cast<size_t>(getpagesize()); }

void* reserve(size_t bytes, Access access, void* hint) {
  if (faulty::refused(faulty::Call::kReserve)) {
    return nullptr;
  }
  void* start = mmap(hint, bytes, faulty::protection(access),
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    return nullptr;
  }
  faulty::reserved += bytes;
  return start;
}

void release(void* start, size_t bytes) {
  munmap(start, bytes);
  faulty::reserved -= bytes;
}

void release_part(void* start, size_t bytes) { release(start, bytes); }

Mapped mapped() { return {.bytes = faulty::reserved, .mappings = 0}; }

bool commit(void* start, size_t bytes) {
  return !faulty::refused(faulty::Call::kCommit) &&
         mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool purge(void* start, size_t bytes) {
  if (faulty::purge_call != nullptr) {
    faulty::purge_call(faulty::purge_context);
  }
  return !faulty::refused(faulty::Call::kPurge) && madvise(start, bytes, MADV_DONTNEED) == 0;
}

bool deny(void* start, size_t bytes) {
  constexpr int kGuardInstall = 102;
  if (faulty::refused(faulty::Call::kDeny)) {
    return false;
  }
  return (!faulty::by_protection && madvise(start, bytes, kGuardInstall) == 0) ||
         (madvise(start, bytes, MADV_DONTNEED) == 0 && mprotect(start, bytes, PROT_NONE) == 0);
}

bool allow(void* start, size_t bytes) {
  constexpr int kGuardRemove = 103;
  if (faulty::refused(faulty::Call::kAllow)) {
    return false;
  }
  madvise(start, bytes, kGuardRemove);
  return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

void prefer_huge_pages(void* /*start*/, size_t bytes, bool huge) {
  faulty::huge_wanted += huge ? bytes : 0;
}

uint64_t physical_memory() { return uint64_t{1} << 30; }
uint64_t resident_bytes_in(void* start, size_t bytes) {
  return spillway::testing::resident_pages(start, bytes) * page_size();
}

uint64_t address_space_left() { return faulty::address_space; }

}  // namespace spillway::os
