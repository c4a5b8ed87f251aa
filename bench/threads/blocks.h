// SPDX-License-Identifier: MIT
// Where a workload's blocks come from, and how much of a block it uses; both are chosen at compile
// time, so that a workload and its baseline are the same loop.
#pragma once

#include <atomic>
#include <cerrno>
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
      std::fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
      std::_Exit(1);
    }
    return block;
  }
  static void put(void* block) { std::free(block); }
};

// The baseline: two calls that do nothing; what a workload costs with it is the harness's own cost.
// Hands out the thread's own cache lines in turn, more of them than are ever on their way to other
// threads: else a line would be rewritten before it is read.
template <unsigned lines>
struct StandIns {
  static constexpr unsigned kLines = lines;
  [[gnu::noinline]] static void* get(std::size_t size) {
    static thread_local Line* own = nullptr;
    static thread_local unsigned next = 0;
    if (own == nullptr) [[unlikely]] {
      own = lines_of_a_thread();
    }
    asm volatile("" : : "r"(size) : "memory");
    return own[next++ % kLines];
  }
  [[gnu::noinline]] static void put(void* block) { asm volatile("" : : "r"(block) : "memory"); }

 private:
  using Line = unsigned char[64];

  // Not thread-local memory: a thread that starts would have to clear it. Of more than kSets
  // threads some share their lines.
  static Line* lines_of_a_thread() {
    constexpr unsigned kSets = 64;
    alignas(64) static Line sets[kSets][kLines];
    static std::atomic<unsigned> threads{0};
    // relaxed: a number only.
    return sets[threads.fetch_add(1, std::memory_order_relaxed) % kSets];
  }
};

using NoBlocks = StandIns<128>;

// kPages: a word every 4 KiB, and the last byte, so that no page is left out wherever blocks start.
enum class Use { kNone, kFirstWord, kPages, kAll };

template <Use use>
void write_block(void* block, std::size_t size) {
  if constexpr (use == Use::kAll) {
    std::memset(block, 0x5a, size);
  } else if constexpr (use == Use::kPages) {
    constexpr std::size_t kPage = 4096;
    auto* const bytes = static_cast<volatile unsigned char*>(block);
    for (std::size_t offset = 0; offset + sizeof(size) <= size; offset += kPage) {
      *reinterpret_cast<volatile std::uintptr_t*>(bytes + offset) = size;
    }
    bytes[size - 1] = 0x5a;
  } else if constexpr (use == Use::kFirstWord) {
    *static_cast<volatile std::uintptr_t*>(block) = size;
  }
}

// Reads what write_block wrote: the first word, or a word in each cache line.
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
