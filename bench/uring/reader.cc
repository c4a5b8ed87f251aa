// SPDX-License-Identifier: MIT
#include "bench/uring/reader.h"

#include <cstring>

namespace bench {
namespace {

void require(int result, const char* what) {
  if (result < 0) {
    throw Refused{std::string(what) + ": " + std::strerror(-result)};
  }
}

class Reading {
 public:
  Reading(Ring& ring, int file, size_t block_bytes, const std::vector<Target>& targets)
      : ring_(ring.get()),
        file_(file),
        block_bytes_(block_bytes),
        targets_(targets),
        offsets_(targets.size()) {}

  void ask(size_t number, uint64_t offset) {
    io_uring_sqe* entry = io_uring_get_sqe(ring_);  // there are as many as targets
    const Target& target = targets_[number];
    const auto bytes = static_cast<unsigned>(block_bytes_);
    if (target.place < 0) {
      io_uring_prep_read(entry, file_, target.data, bytes, offset);
    } else {
      io_uring_prep_read_fixed(entry, file_, target.data, bytes, offset, target.place);
    }
    io_uring_sqe_set_data64(entry, number);
    offsets_[number] = offset;
  }

  // Waits for a read to end; the number of its target.
  size_t wait(const Look& look) {
    require(io_uring_submit_and_wait(ring_, 1), "io_uring_enter");
    io_uring_cqe* entry = nullptr;
    require(io_uring_wait_cqe(ring_, &entry), "io_uring_enter");
    const auto number = static_cast<size_t>(io_uring_cqe_get_data64(entry));
    const int result = entry->res;
    io_uring_cqe_seen(ring_, entry);
    require(result, "read");
    if (static_cast<size_t>(result) != block_bytes_) {
      throw Refused{"read: fewer bytes than asked for"};
    }
    if (look) {
      look(offsets_[number], targets_[number].data);
    }
    return number;
  }

 private:
  io_uring* const ring_;
  const int file_;
  const size_t block_bytes_;
  const std::vector<Target>& targets_;
  std::vector<uint64_t> offsets_;
};

}  // namespace

Ring::Ring(unsigned depth) { require(io_uring_queue_init(depth, &ring_, 0), "io_uring_setup"); }

void Ring::make_places(unsigned count) {
  require(io_uring_register_buffers_sparse(&ring_, count), "places for registered buffers");
}

void Ring::fill_place(unsigned place, void* start, size_t bytes) {
  const iovec range{start, bytes};
  const __u64 no_tag = 0;
  require(io_uring_register_buffers_update_tag(&ring_, place, &range, &no_tag, 1),
          "a registered buffer");
}

void read_file(Ring& ring, int file, uint64_t file_bytes, size_t block_bytes,
               const std::vector<Target>& targets, const Look& look) {
  Reading reading(ring, file, block_bytes, targets);
  uint64_t next = 0;
  size_t under_way = 0;
  for (; under_way < targets.size() && next < file_bytes; next += block_bytes) {
    reading.ask(under_way++, next);
  }
  while (under_way > 0) {
    const size_t number = reading.wait(look);
    if (next < file_bytes) {
      reading.ask(number, next);
      next += block_bytes;
    } else {
      --under_way;
    }
  }
}

}  // namespace bench
