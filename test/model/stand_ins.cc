// SPDX-License-Identifier: MIT
#include "test/model/stand_ins.h"

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "alloc/os/os.h"
#include "test/model/explore.h"
#include "test/model/machine.h"

namespace spillway::model {
namespace {

constexpr size_t kWorldBytes = size_t{4} << 20;
constexpr size_t kPage = 4096;
// Reservations of so many bytes are address space: of them only pages that are written to exist.
constexpr size_t kMinSpace = size_t{2} << 20;
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
// Address space, all zero but for what was written there, word by word.
char* space = nullptr;
size_t space_used = 0;
std::vector<uint64_t*> written;
std::vector<std::pair<uint64_t*, uint64_t>> kept_written;

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
  for (uint64_t* const word : written) {
    *word = 0;
  }
  written.clear();
  world_used = space_used = 0;
  Machine::get().start_clock();
  handed.clear();
  return take(bytes, kPage);
}

void keep_world() {
  kept.assign(world, world + world_used);
  kept_written.clear();
  for (uint64_t* const word : written) {
    kept_written.emplace_back(word, *word);
  }
}

void restore_world() {
  std::memcpy(world, kept.data(), kept.size());
  for (uint64_t* const word : written) {
    *word = 0;
  }
  written.clear();
  for (const auto& [word, value] : kept_written) {
    *word = value;
    written.push_back(word);
  }
}

void note_write(uintptr_t address) {
  if (space != nullptr && address - reinterpret_cast<uintptr_t>(space) < space_used) {
    auto* const word = reinterpret_cast<uint64_t*>(address & ~uintptr_t{7});
    if (std::find(written.begin(), written.end(), word) == written.end()) {
      written.push_back(word);
    }
  }
}

// The kernel's writing is the caller's.
void clear_space(uintptr_t start, size_t bytes) {
  for (size_t i = 0; i < written.size(); ++i) {
    const auto address = reinterpret_cast<uintptr_t>(written[i]);
    if (address - start < bytes) {
      Machine::get().plain(address, sizeof(uint64_t), true, __builtin_return_address(0));
      *written[i] = 0;
    }
  }
}

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
  return bytes >= model::kMinSpace ? model::take_space(bytes) : model::take(bytes, model::kPage);
}
void release(void* /*start*/, size_t /*bytes*/) {}
void release_part(void* /*start*/, size_t /*bytes*/) {}
bool commit(void* /*start*/, size_t /*bytes*/) { return true; }
bool purge(void* start, size_t bytes) {
  model::clear_space(reinterpret_cast<uintptr_t>(start), bytes);
  return true;
}
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
