// SPDX-License-Identifier: MIT
#include "bench/contention/own_memory.h"

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>

#include "bench/contention/fail.h"

namespace bench::contention {
namespace {

constexpr std::size_t kHeader = 16;  // keeps blocks aligned; holds the block's class
constexpr std::size_t kChunk = std::size_t{4} << 20;
constexpr unsigned kClasses = 48;  // powers of two, header included

struct Free {
  Free* next;
};

constinit std::atomic_flag locked;
constinit Free* free_blocks[kClasses] = {};
constinit char* chunk = nullptr;
constinit std::size_t chunk_left = 0;

char* from_kernel(std::size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fail("no memory for the program itself");
  }
  return static_cast<char*>(memory);
}

char* take(unsigned size_class) {
  if (Free* const block = free_blocks[size_class]; block != nullptr) {
    free_blocks[size_class] = block->next;
    return reinterpret_cast<char*>(block);
  }
  const std::size_t size = std::size_t{1} << size_class;
  if (size > kChunk) {
    return from_kernel(size);
  }
  if (size > chunk_left) {
    chunk = from_kernel(kChunk);
    chunk_left = kChunk;
  }
  char* const block = chunk;
  chunk += size;
  chunk_left -= size;
  return block;
}

class Lock {
 public:
  // acquire: the lists as the holder before left them; pairs with the release below.
  Lock() {
    while (locked.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Lock() { locked.clear(std::memory_order_release); }
};

unsigned& class_of(char* block) { return *reinterpret_cast<unsigned*>(block); }

}  // namespace

void* own_allocate(std::size_t size) {
  const auto size_class = static_cast<unsigned>(std::bit_width(size + kHeader - 1));
  const Lock lock;
  char* const block = take(size_class);
  class_of(block) = size_class;
  return block + kHeader;
}

void own_release(void* block) {
  if (block == nullptr) {
    return;
  }
  char* const start = static_cast<char*>(block) - kHeader;
  const unsigned size_class = class_of(start);
  const Lock lock;
  free_blocks[size_class] = new (start) Free{free_blocks[size_class]};
}

void* own_reallocate(void* block, std::size_t size) {
  void* const moved = own_allocate(size);
  if (block != nullptr) {
    const unsigned size_class = class_of(static_cast<char*>(block) - kHeader);
    const std::size_t room = (std::size_t{1} << size_class) - kHeader;
    std::memcpy(moved, block, room < size ? room : size);
    own_release(block);
  }
  return moved;
}

}  // namespace bench::contention

void* operator new(std::size_t size) { return bench::contention::own_allocate(size); }
void operator delete(void* block) noexcept { bench::contention::own_release(block); }
void operator delete(void* block, std::size_t /*size*/) noexcept {
  bench::contention::own_release(block);
}
