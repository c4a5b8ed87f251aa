// SPDX-License-Identifier: MIT
// Which addresses belong to a live block: a bit for each 16 bytes of the address space, in memory
// that the kernel gives page by page. Any thread; sequentially consistent, since the test waits for
// nothing else.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace torture {

class Shadow {
 public:
  // False when the kernel refuses a terabyte of address space.
  bool start() {
    void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    words_ = static_cast<std::atomic<uint64_t>*>(memory);
    return memory != MAP_FAILED && madvise(memory, kBytes, MADV_DONTDUMP) == 0;
  }

  // Each returns whether all of it was of the other state: free before, or live.
  bool take(const void* block, size_t bytes) { return change(block, bytes, true); }
  bool give(const void* block, size_t bytes) { return change(block, bytes, false); }

 private:
  static constexpr unsigned kGrainShift = 4;
  static constexpr size_t kBytes = (size_t{1} << 47) >> kGrainShift >> 3;

  bool change(const void* block, size_t bytes, bool live) {
    size_t grain = reinterpret_cast<uintptr_t>(block) >> kGrainShift;
    const size_t end = grain + ((bytes + 15) >> kGrainShift);
    bool good = true;
    while (grain < end) {
      const size_t bit = grain % 64;
      const size_t count = end - grain < 64 - bit ? end - grain : 64 - bit;
      const uint64_t mask = (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << bit;
      std::atomic<uint64_t>& word = words_[grain / 64];
      const uint64_t before = live ? word.fetch_or(mask) : word.fetch_and(~mask);
      good = good && (before & mask) == (live ? 0 : mask);
      grain += count;
    }
    return good;
  }

  std::atomic<uint64_t>* words_ = nullptr;
};

}  // namespace torture
