// The memory part of os.h.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <fcntl.h>
#include <cerrno>
#include <cstdlib>

#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::os {
namespace {

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
  const int descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return {};
  }
  char text[64] = {};
  const ssize_t length = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  uint64_t pages[2] = {};
  size_t field = 0;
  for (ssize_t i = 0; i < length && field < 2; ++i) {
    if (text[i] == ' ') {
      ++field;
    } else if (text[i] >= '0' && text[i] <= '9') {
      pages[field] = pages[field] * 10 + static_cast<uint64_t>(text[i] - '0');
    }
  }
  return {.mapped = pages[0] * page_size(), .resident = pages[1] * page_size()};
}

}  // namespace

size_t page_size() {
  return static_cast<size_t>(getpagesize());  // from the auxiliary vector, no system call
}

void* reserve(size_t bytes, Access access, void* hint) {
  const ErrnoKeeper keeper;
  void* start =
      mmap(hint, bytes, protection(access), MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return start == MAP_FAILED ? nullptr : start;
}

void release(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  munmap(start, bytes);
}

bool commit(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool purge(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  // DONTNEED, not FREE: what is shown as resident is what is used.
  if (madvise(start, bytes, MADV_DONTNEED) == 0) {
    return true;
  }
  constexpr int kDontNeedLocked = 24;  // MADV_DONTNEED_LOCKED, Linux 5.18
  return errno == EINVAL && madvise(start, bytes, kDontNeedLocked) == 0;
}

void prefer_huge_pages(void* start, size_t bytes, bool huge) {
  const ErrnoKeeper keeper;
  madvise(start, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

uint64_t physical_memory() {
  const ErrnoKeeper keeper;
  struct sysinfo info = {};
  if (sysinfo(&info) != 0) {
    return 0;
  }
  return uint64_t{info.totalram} * info.mem_unit;
}

uint64_t resident_bytes() {
  const ErrnoKeeper keeper;
  return process_sizes().resident;
}

uint64_t address_space_left() {
  const ErrnoKeeper keeper;
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  const uint64_t mapped = process_sizes().mapped;
  return mapped < limit.rlim_cur ? limit.rlim_cur - mapped : 0;
}

}  // namespace spillway::os
