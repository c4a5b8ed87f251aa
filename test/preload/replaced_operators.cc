// SPDX-License-Identifier: MIT
// A program that replaces some of the operators new and delete: the other forms have to call these,
// as the C++ standard's do. REPLACED_ARRAYS, REPLACED_ALIGNED: these, too, instead of the plain
// pair alone. A replaced new puts a mark in front of its blocks, which its delete must find there.
#include "replaced_operators.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "family.h"

#ifndef REPLACED_ARRAYS
#define REPLACED_ARRAYS 0
#endif
#ifndef REPLACED_ALIGNED
#define REPLACED_ALIGNED 0
#endif

namespace {

enum Kind : unsigned { kPlain, kArray, kAligned, kAlignedArray, kKinds };

struct Mark {
  static constexpr unsigned kMagic = 0x5eed5eed;
  unsigned magic, kind;
};

constexpr size_t kInFront = 256;  // as aligned as the blocks

int taken[kKinds], given[kKinds];
bool failing = false;  // the operators new throw

void* take(Kind kind, size_t size) {
  ++taken[kind];
  if (failing) throw std::bad_alloc();
  auto* memory = static_cast<char*>(aligned_alloc(kInFront, kInFront + size));
  CHECK(memory != nullptr);
  const Mark mark{Mark::kMagic, kind};
  std::memcpy(memory, &mark, sizeof mark);
  return memory + kInFront;
}

void give(Kind kind, void* block) {
  if (block == nullptr) return;
  auto* memory = static_cast<char*>(block) - kInFront;
  Mark mark;
  std::memcpy(&mark, memory, sizeof mark);
  CHECK_COMPARE(mark.magic, ==, Mark::kMagic);
  CHECK_COMPARE(mark.kind, ==, kind);
  ++given[kind];
  std::free(memory);
}

// Which replaced operator a form ends in.
Kind kind_of(const Pair& pair) {
  const bool as_array = pair.arrays && REPLACED_ARRAYS;
  if (pair.aligned) return as_array ? kAlignedArray : kAligned;
  return as_array ? kArray : kPlain;
}

}  // namespace

// That the sized ones are missing is what is tested.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif
void* operator new(size_t size) { return take(kPlain, size); }
void operator delete(void* block) noexcept { give(kPlain, block); }
#if REPLACED_ARRAYS
void* operator new[](size_t size) { return take(kArray, size); }
void operator delete[](void* block) noexcept { give(kArray, block); }
#endif
#if REPLACED_ALIGNED
void* operator new(size_t size, std::align_val_t) { return take(kAligned, size); }
void operator delete(void* block, std::align_val_t) noexcept { give(kAligned, block); }
#if REPLACED_ARRAYS
void* operator new[](size_t size, std::align_val_t) { return take(kAlignedArray, size); }
void operator delete[](void* block, std::align_val_t) noexcept { give(kAlignedArray, block); }
#endif
#endif

int main() {
  for (size_t i = 0; i < kPairCount; i++) {
    const Pair& pair = kPairs[i];
    const Kind kind = kind_of(pair);
    for (size_t size : {size_t{1}, size_t{100}, size_t{20000}, size_t{3} << 20}) {
      const int before[] = {taken[kind], given[kind]};
      pair.use(size);
      const int calls = !pair.aligned || REPLACED_ALIGNED ? 1 : 0;
      if (taken[kind] - before[0] != calls || given[kind] - before[1] != calls) {
        std::printf("%s: %d calls of new and %d of delete instead of %d\n", pair.name,
                    taken[kind] - before[0], given[kind] - before[1], calls);
        return 1;
      }
    }
  }
  failing = true;
  CHECK(::operator new(opaque_size(10), std::nothrow) == nullptr);
  CHECK(::operator new[](opaque_size(10), std::nothrow) == nullptr);
#if REPLACED_ALIGNED
  CHECK(::operator new(opaque_size(10), kAlignment, std::nothrow) == nullptr);
  CHECK(::operator new[](opaque_size(10), kAlignment, std::nothrow) == nullptr);
#endif
  return 0;
}
