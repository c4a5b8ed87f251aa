// SPDX-License-Identifier: MIT
// The memory part of os.h.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>

#include "alloc/base/bits.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"
#include "alloc/os/read_file.h"
#include "alloc/os/system_call.h"

namespace spillway::os {
namespace {

// The kernel answers errors with the negative of numbers below this.
constexpr long kMaxErrno = 4096;

int protection(Access access) {
  switch (access) {
    case Access::kNone:
      return PROT_NONE;
    case Access::kRead:
      return PROT_READ;
    case Access::kReadWrite:
      break;
  }
  return PROT_READ | PROT_WRITE;
}

// The first two fields of /proc/self/statm, in bytes; 0 when unknown.
struct Sizes {
  uint64_t mapped = 0;
  uint64_t resident = 0;
};

Sizes process_sizes() {
  char buffer[64];
  const std::string_view text = read_file("/proc/self/statm", buffer, sizeof buffer);
  uint64_t pages[2] = {};
  size_t field = 0;
  for (const char c : text) {
    if (c == ' ') {
      if (++field == 2) {
        break;
      }
    } else if (c >= '0' && c <= '9') {
      pages[field] = pages[field] * 10 + static_cast<uint64_t>(c - '0');
    }
  }
  return {.mapped = pages[0] * page_size(), .resident = pages[1] * page_size()};
}

// Through the C library where ThreadSanitizer has to see it: memory that comes again is new.
#if defined(__SANITIZE_THREAD__)
long map(void* hint, size_t bytes, int access, int flags) {
  const ErrnoKeeper keeper;
  void* const start = mmap(hint, bytes, access, flags, -1, 0);
  return start == MAP_FAILED ? -long{ENOMEM} : reinterpret_cast<long>(start);
}
void unmap(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  munmap(start, bytes);
}
#else
long map(void* hint, size_t bytes, int access, int flags) {
  return system_call(SYS_mmap, hint, bytes, access, flags, -1, 0);
}
void unmap(void* start, size_t bytes) { system_call(SYS_munmap, start, bytes); }
#endif

// relaxed, both: counts.
constinit std::atomic<uint64_t> reserved_bytes{0};
constinit std::atomic<uint64_t> reservations{0};

bool advise(void* start, size_t bytes, int advice) {
  return system_call(SYS_madvise, start, bytes, advice) == 0;
}

}  // namespace

size_t page_size() {
  return static_cast<size_t>(getpagesize());  // from the auxiliary vector, no system call
}

void* reserve(size_t bytes, Access access, void* hint) {
  const long start =
      map(hint, bytes, protection(access), MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  if (start < 0 && start > -kMaxErrno) {
    return nullptr;
  }
  reserved_bytes.fetch_add(bytes, std::memory_order_relaxed);
  reservations.fetch_add(1, std::memory_order_relaxed);
  auto* const memory = reinterpret_cast<void*>(start);
  if (access != Access::kReadWrite) {
    advise(memory, bytes, MADV_DONTDUMP);
  }
  return memory;
}

void release(void* start, size_t bytes) {
  reservations.fetch_sub(1, std::memory_order_relaxed);
  release_part(start, bytes);
}

void release_part(void* start, size_t bytes) {
  unmap(start, bytes);
  reserved_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

Mapped mapped() {
  return {.bytes = reserved_bytes.load(std::memory_order_relaxed),
          .mappings = reservations.load(std::memory_order_relaxed)};
}

bool commit(void* start, size_t bytes) {
  if (system_call(SYS_mprotect, start, bytes, PROT_READ | PROT_WRITE) != 0) {
    return false;
  }
  advise(start, bytes, MADV_DODUMP);
  return true;
}

bool purge(void* start, size_t bytes) {
  // DONTNEED, not FREE: what is shown as resident is what is used.
  const long answer = system_call(SYS_madvise, start, bytes, MADV_DONTNEED);
  constexpr int kDontNeedLocked = 24;  // MADV_DONTNEED_LOCKED, Linux 5.18
  return answer == 0 || (answer == -EINVAL && advise(start, bytes, kDontNeedLocked));
}

namespace {

// Whether the kernel has marks for inaccessible pages, as its first answer says.
enum class Marks : uint8_t { kUnknown, kYes, kNo };
// relaxed: threads that find out at the same time find the same.
constinit std::atomic<Marks> marks{Marks::kUnknown};
// Parts that are inaccessible by a mapping of their own, each of which may take two more of the
// kernel's 65530 (vm.max_map_count): half of them at the most. relaxed: a count.
constexpr uint32_t kMaxSplits = 16000;
constinit std::atomic<uint32_t> splits{0};
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, Linux 6.13
constexpr int kGuardRemove = 103;

}  // namespace

bool deny(void* start, size_t bytes) {
  const Marks known = marks.load(std::memory_order_relaxed);
  if (known != Marks::kNo) {
    const long answer = system_call(SYS_madvise, start, bytes, kGuardInstall);
    if (known == Marks::kUnknown) {
      marks.store(answer == -EINVAL ? Marks::kNo : Marks::kYes, std::memory_order_relaxed);
    }
    if (answer != -EINVAL) {
      return answer == 0;
    }
    // No marks, or not in locked memory.
  }
  if (splits.load(std::memory_order_relaxed) >= kMaxSplits || !purge(start, bytes) ||
      system_call(SYS_mprotect, start, bytes, PROT_NONE) != 0) {
    return false;
  }
  splits.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool allow(void* start, size_t bytes) {
  const bool marked = marks.load(std::memory_order_relaxed) == Marks::kYes;
  if (marked && !advise(start, bytes, kGuardRemove)) {
    return false;
  }
  if (splits.load(std::memory_order_relaxed) != 0) {
    // Whichever way it was.
    if (system_call(SYS_mprotect, start, bytes, PROT_READ | PROT_WRITE) != 0) {
      return false;
    }
    if (!marked) {
      splits.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  return true;
}

void prefer_huge_pages(void* start, size_t bytes, bool huge) {
  advise(start, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

uint64_t physical_memory() {
  // Through the C library's function, once, at a start: as processors().
  static constinit std::atomic<uint64_t> known{0};
  uint64_t bytes = known.load(std::memory_order_relaxed);
  if (bytes == 0) {
    const ErrnoKeeper keeper;
    struct sysinfo info = {};
    bytes = sysinfo(&info) == 0 ? uint64_t{info.totalram} * info.mem_unit : 0;
    // relaxed: threads that ask first at the same time get the same answer.
    known.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

// Not mincore(2): common seccomp filters end the process at it, systemd's @system-service one.
uint64_t resident_bytes_in(void* start, size_t bytes) {
  constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;
  uint64_t entries[64];  // callers may be on a small stack
  const InputFile pagemap("/proc/self/pagemap");
  const size_t page = page_size();
  const size_t end = bytes / page;
  const uint64_t first = reinterpret_cast<uintptr_t>(start) / page;
  uint64_t sum = 0;
  for (size_t done = 0; done < end;) {
    const size_t wanted = std::min(end - done, std::size(entries));
    const size_t length =
        pagemap.read_at((first + done) * sizeof *entries, reinterpret_cast<char*>(entries),
                        wanted * sizeof *entries);
    const size_t count = length / sizeof *entries;
    if (count == 0) {
      return 0;
    }
    sum += page * static_cast<uint64_t>(std::count_if(entries, entries + count, [](uint64_t entry) {
             return (entry & kPresentOrSwapped) != 0;
           }));
    done += count;
  }
  return sum;
}

uint64_t resident_bytes() { return process_sizes().resident; }

uint64_t mapped_bytes() { return process_sizes().mapped; }

uint64_t address_space_left() {
  struct rlimit limit = {};
  if (system_call(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  const uint64_t mapped = process_sizes().mapped;
  return mapped < limit.rlim_cur ? limit.rlim_cur - mapped : 0;
}

uint64_t lockable_bytes() {
  struct rlimit limit = {};
  return system_call(SYS_prlimit64, 0, RLIMIT_MEMLOCK, nullptr, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace spillway::os
