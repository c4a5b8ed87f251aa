// SPDX-License-Identifier: MIT
// The blocks of fork_walk.cc: who made one shows in its ends.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdint>

#include "alloc/config/size_classes.h"
#include "pattern.h"

namespace torture {

using spillway::config::kHeapClassCount;
using spillway::config::kHeapClassSizes;

constexpr int kSmallSizes[] = {1, 16, 48, 200, 1000, 2000, 3500, 4095};
constexpr size_t kLargeSizes[] = {(1 << 20) + 1, 3 << 20, 70 << 20};
constexpr uint64_t kMainOwner = 7;

struct Held {
  void* block;
  size_t size;
};
struct Row {
  Held held[kHeapClassCount + 8 + 3];
  int count = 0;

  void add(size_t size) { held[count++].size = size; }
};
// Both ends: a block costs two pages.
inline void mark(const Held& held, uint64_t owner) {
  if (held.size < 16) return;
  char* const p = static_cast<char*>(held.block);
  put_word(p, pattern_word(p, owner));
  put_word(p + held.size - 8, pattern_word(p + held.size - 8, owner));
}
inline bool is_marked(const Held& held, uint64_t owner) {
  if (held.size < 16) return true;
  const char* const p = static_cast<const char*>(held.block);
  return get_word(p) == pattern_word(p, owner) &&
         get_word(p + held.size - 8) == pattern_word(p + held.size - 8, owner);
}

inline Held make(size_t size, uint64_t owner) {
  const Held held{malloc(size), size};
  CHECK(held.block != nullptr);
  mark(held, owner);
  return held;
}
inline void end(const Held& held, uint64_t owner) {
  CHECK(is_marked(held, owner));
  free(held.block);
}

inline void free_all(const Row& row) {
  for (int i = 0; i < row.count; ++i) free(row.held[i].block);
}

// Few long ones: what the heap holds is what each child copies and some loops go over.
inline void choose_sizes(Row& row) {
  constexpr size_t kFewAbove = 32 << 10;
  for (const int size : kSmallSizes) row.add(static_cast<size_t>(size));
  for (uint32_t index = 1; index <= kHeapClassCount; ++index) {
    if (kHeapClassSizes[index] <= kFewAbove || index % 8 == 0) row.add(kHeapClassSizes[index]);
  }
}

inline void make_all(Row& row) {
  for (int i = 0; i < row.count; ++i) row.held[i] = make(row.held[i].size, kMainOwner);
}

}  // namespace torture
