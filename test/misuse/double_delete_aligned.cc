// SPDX-License-Identifier: MIT
// A block of the aligned operator new, deleted twice.
#include <new>

#include "misuse.h"

int main() {
  void* p = ::operator new[](50000, std::align_val_t{4096});
  void* again = opaque(p);
  expect("double", p, 0, kAnyClass);
  ::operator delete[](p, std::align_val_t{4096});
  ::operator delete[](again, std::align_val_t{4096});
  return survived();
}
