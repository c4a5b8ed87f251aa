#include "test/model/stand_ins.h"

#include <link.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "alloc/os/os.h"
#include "test/model/explore.h"
#include "test/model/machine.h"

namespace spillway::model {
namespace {

constexpr size_t kWorldBytes = size_t{4} << 20;
constexpr size_t kPage = 4096;
// Reservations of so many bytes are address space: of them only pages that are written to exist.
constexpr size_t kLeastSpace = size_t{2} << 20;
constexpr size_t kSpaceBytes = size_t{1} << 30;

struct Ordered {
  const void* start;
  size_t bytes;
  Handed how;
};

alignas(kPage) char world[kWorldBytes];
size_t world_used = 0;
std::vector<char> kept;
std::vector<Ordered> handed;
char* space = nullptr;
size_t space_used = 0;

void* take(size_t bytes, size_t alignment) {
  world_used = (world_used + alignment - 1) & ~(alignment - 1);
  void* const start = world + world_used;
  world_used += bytes;
  if (world_used > kWorldBytes) {
    std::abort();
  }
  return start;
}

void* take_space(size_t bytes) {
  constexpr size_t kAlignment = size_t{2} << 20;
  if (space == nullptr) {
    space = static_cast<char*>(mmap(nullptr, kSpaceBytes + kAlignment, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    space += kAlignment - reinterpret_cast<uintptr_t>(space) % kAlignment;
  }
  void* const start = space + space_used;
  space_used += (bytes + kAlignment - 1) & ~(kAlignment - 1);
  return space_used <= kSpaceBytes ? start : nullptr;
}

}  // namespace

void* new_world(size_t bytes) {
  std::memset(world, 0, world_used);
  world_used = space_used = 0;
  handed.clear();
  return take(bytes, kPage);
}

void keep_world() { kept.assign(world, world + world_used); }
void restore_world() { std::memcpy(world, kept.data(), kept.size()); }

void hand_over(const void* start, size_t bytes, Handed how) {
  handed.push_back({start, bytes, how});
}

void hand_over_again() {
  for (const Ordered& one : handed) {
    Machine::get().places().hand(reinterpret_cast<uintptr_t>(one.start), one.bytes, one.how);
  }
}

uintptr_t load_address() {
  uintptr_t address = 0;
  // The first one is the program itself.
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* out) {
        *static_cast<uintptr_t*>(out) = info->dlpi_addr;
        return 1;
      },
      &address);
  return address;
}

}  // namespace spillway::model

namespace spillway::os {

using model::Machine;

size_t page_size() { return model::kPage; }
void* reserve(size_t bytes, Access /*access*/, void* /*hint*/) {
  return bytes >= model::kLeastSpace ? model::take_space(bytes) : model::take(bytes, model::kPage);
}
void release(void* /*start*/, size_t /*bytes*/) {}
bool commit(void* /*start*/, size_t /*bytes*/) { return true; }
bool purge(void* /*start*/, size_t /*bytes*/) { return true; }
void prefer_huge_pages(void* /*start*/, size_t /*bytes*/, bool /*huge*/) {}
uint64_t resident_bytes_in(void* /*start*/, size_t /*bytes*/) { return 0; }
uint64_t address_space_left() { return UINT64_MAX; }
uint64_t random_bits() { return 0; }
void yield() { Machine::get().yield(); }
void nap() { Machine::get().yield(); }
bool barrier_in_all_threads() {
  Machine::get().barrier_in_all_threads();
  return true;
}
uint64_t monotonic_ns() { return Machine::get().now_ns(); }
uintptr_t this_thread() { return Machine::get().thread() + 1; }

}  // namespace spillway::os
