// SPDX-License-Identifier: MIT
// Each form of operator new and delete but the plain ones, for replaced_operators.cc.
#include "replaced_operators.h"

#include "family.h"

using std::nothrow;

namespace {

void* used(void* block, size_t size) {
  CHECK(block != nullptr);
  fill_bytes(block, 0, size, 1);
  return block;
}
void* aligned(void* block, size_t size) {
  CHECK(aligned_to(block, static_cast<size_t>(kAlignment)));
  return used(block, size);
}

}  // namespace

const Pair kPairs[] = {
    {"new, sized delete", [](size_t n) { ::operator delete(used(::operator new(n), n), n); }, false,
     false},
    {"nothrow", [](size_t n) { ::operator delete(used(::operator new(n, nothrow), n), nothrow); },
     false, false},
    {"new[], delete[]", [](size_t n) { ::operator delete[](used(::operator new[](n), n)); }, true,
     false},
    {"new[], sized delete[]",
     [](size_t n) { ::operator delete[](used(::operator new[](n), n), n); }, true, false},
    {"nothrow array",
     [](size_t n) { ::operator delete[](used(::operator new[](n, nothrow), n), nothrow); }, true,
     false},
    {"aligned new, sized delete",
     [](size_t n) { ::operator delete(aligned(::operator new(n, kAlignment), n), n, kAlignment); },
     false, true},
    {"aligned nothrow",
     [](size_t n) {
       ::operator delete(aligned(::operator new(n, kAlignment, nothrow), n), kAlignment, nothrow);
     },
     false, true},
    {"aligned array",
     [](size_t n) { ::operator delete[](aligned(::operator new[](n, kAlignment), n), kAlignment); },
     true, true},
    {"aligned array, sized delete[]",
     [](size_t n) {
       ::operator delete[](aligned(::operator new[](n, kAlignment), n), n, kAlignment);
     },
     true, true},
    {"aligned nothrow array",
     [](size_t n) {
       ::operator delete[](aligned(::operator new[](n, kAlignment, nothrow), n), kAlignment,
                           nothrow);
     },
     true, true},
};
const size_t kPairCount = sizeof kPairs / sizeof kPairs[0];
