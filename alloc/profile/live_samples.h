// SPDX-License-Identifier: MIT
// What is known of each sampled block that the program holds: which stack it was allocated at and
// what it stands for. Numbers from 1 on; the block's note keeps its number. Lock-free.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/core/freelist.h"
#include "alloc/profile/growing_memory.h"
#include "alloc/profile/sampler.h"

namespace spillway::profile {

class LiveSamples {
 public:
  struct Sample {
    uint32_t stack = 0;
    size_t size = 0;  // as requested
    Sampler::Weight weight{};
  };

  // Memory for `max_samples` samples: zeroed and committed for the numbers that are free, reserved
  // for the samples.
  static size_t numbers_bytes(uint32_t max_samples) {
    return core::Freelist::bytes_needed(max_samples);
  }
  static size_t samples_bytes(uint32_t max_samples) { return size_t{max_samples} * sizeof(Cell); }
  void attach(void* numbers, char* samples, uint32_t max_samples);

  // The number of a new one; 0 when there is no room.
  uint32_t add(const Sample& sample);
  // Of a live one, by the thread that holds its block.
  void set(uint32_t number, const Sample& sample);
  Sample get(uint32_t number) const;
  // Gives the number up; the caller is the only one that does.
  Sample remove(uint32_t number);

  // In a forked child: what a thread that did not come along left undone.
  void recover_after_fork();

 private:
  // relaxed, all: written before the block is handed out, and read by the thread that holds it.
  struct Cell {
    std::atomic<uint64_t> size;
    std::atomic<uint64_t> blocks;
    std::atomic<uint64_t> bytes;
    std::atomic<uint32_t> stack;
  };
  Cell& cell(uint32_t number) const { return reinterpret_cast<Cell*>(cells_.start())[number - 1]; }

  GrowingMemory cells_;
  core::Freelist free_;
  std::atomic<uint32_t> numbered_{0};
  uint32_t max_ = 0;
};

}  // namespace spillway::profile
