// SPDX-License-Identifier: MIT
// The blocks that a workload has in use, and how many bytes it asked for. Static in its file:
// nothing here allocates but the blocks themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "bench/memory/blocks.h"

namespace bench {

template <std::size_t kMax>
struct LiveBlocks {
  void* blocks[kMax];
  std::size_t sizes[kMax];
  std::size_t count;
  std::size_t bytes;
  std::size_t max_bytes;

  bool full() const { return count == kMax; }

  // The next ones until there are `limit` bytes.
  template <class Size>
  void fill(std::size_t limit, Size size) {
    while (bytes < limit && !full()) {
      add(size());
    }
  }

  void add(std::size_t size) { put(count++, size); }

  void replace(std::size_t index, std::size_t size) {
    std::free(forget(index));
    put(index, size);
  }

  // The last block takes the place of this one.
  void remove(std::size_t index) {
    std::free(forget(index));
    --count;
    blocks[index] = blocks[count];
    sizes[index] = sizes[count];
  }

  // In the order in which they came, if none was replaced or removed.
  void remove_all() {
    free_all({blocks, count});
    count = bytes = 0;
  }

  // Puts another block in this one's place, which is never freed and stays counted.
  void leak(std::size_t index, std::size_t size) { put(index, size); }

 private:
  void put(std::size_t index, std::size_t size) {
    blocks[index] = touched_block(size);
    sizes[index] = size;
    bytes += size;
    max_bytes = std::max(max_bytes, bytes);
  }

  void* forget(std::size_t index) {
    bytes -= sizes[index];
    return blocks[index];
  }
};

}  // namespace bench
