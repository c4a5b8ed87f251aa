// SPDX-License-Identifier: MIT
// Reads a whole file through io_uring, block by block, into buffers that stay with the ring.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// What the kernel or the machine refuses, in one line.
struct Refused {
  std::string what;
};

// A ring. Members throw Refused.
class Ring {
 public:
  explicit Ring(unsigned depth);
  ~Ring() { io_uring_queue_exit(&ring_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // `count` empty places for registered buffers; then each by itself.
  void make_places(unsigned count);
  void fill_place(unsigned place, void* start, size_t bytes);

  io_uring* get() { return &ring_; }

 private:
  io_uring ring_;
};

// A buffer to read into. `place`: of the registered memory it lies in; negative: not registered.
struct Target {
  void* data = nullptr;
  int place = -1;
};

// Reads `file`, of `file_bytes`, in blocks of `block_bytes`, a divisor, with a read under way for
// each of `targets`. `look`, if any, is called with each block and where it begins in the file.
using Look = std::function<void(uint64_t offset, const void* data)>;
void read_file(Ring& ring, int file, uint64_t file_bytes, size_t block_bytes,
               const std::vector<Target>& targets, const Look& look = {});

}  // namespace bench
