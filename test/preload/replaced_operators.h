// SPDX-License-Identifier: MIT
// What replaced_operators.cc asks of its library, whose references the forms are that the program
// has not replaced. Each takes a block by one form and gives it back by another.
#pragma once

#include <cstddef>
#include <new>

inline constexpr std::align_val_t kAlignment{256};

struct Pair {
  const char* name;
  void (*use)(size_t size);
  bool arrays, aligned;
};

extern const Pair kPairs[];
extern const size_t kPairCount;
