// Where a workload's blocks come from, and how much of a block it uses; both are chosen at compile
// time, so that a workload and its baseline are the same loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

// The allocator that is loaded. A null block would make it look fast: it ends the program.
struct LoadedBlocks {
  static void* get(std::size_t size) {
    void* block = std::malloc(size);
    if (block == nullptr) [[unlikely]] {
      std::fputs("bench_threads: out of memory\n", stderr);
      std::_Exit(1);
    }
    return block;
  }
  static void put(void* block) { std::free(block); }
};

// The baseline: two calls that do nothing; what a workload costs with it is the harness's own cost.
// Hands out the thread's own cache lines in turn, more of them than a ring of blocks ever holds.
struct NoBlocks {
  static constexpr unsigned kLines = 128;
  [[gnu::noinline]] static void* get(std::size_t size) {
    alignas(64) static thread_local unsigned char lines[kLines][64];
    static thread_local unsigned next = 0;
    asm volatile("" : : "r"(size) : "memory");
    return lines[next++ % kLines];
  }
  [[gnu::noinline]] static void put(void* block) { asm volatile("" : : "r"(block) : "memory"); }
};

enum class Use { kNone, kFirstWord, kAll };

template <Use use>
void write_block(void* block, std::size_t size) {
  if constexpr (use == Use::kAll) {
    std::memset(block, 0x5a, size);
  } else if constexpr (use == Use::kFirstWord) {
    *static_cast<volatile std::uintptr_t*>(block) = size;
  }
}

// Reads what write_block wrote, a word in each cache line.
template <Use use>
void read_block(const void* block, std::size_t size) {
  const auto* words = static_cast<const volatile std::uintptr_t*>(block);
  if constexpr (use == Use::kFirstWord) {
    (void)words[0];
  } else if constexpr (use == Use::kAll) {
    constexpr std::size_t kLine = 64;
    for (std::size_t offset = 0; offset < size; offset += kLine) {
      (void)words[offset / sizeof(std::uintptr_t)];
    }
  }
}

}  // namespace bench
