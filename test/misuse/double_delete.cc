// SPDX-License-Identifier: MIT
// A block of operator new, deleted twice.
#include <new>

#include "misuse.h"

int main() {
  void* p = ::operator new(SIZE);
  void* again = opaque(p);
  expect("double", p, 0, SIZE);
  ::operator delete(p);
  ::operator delete (again, std::size_t{SIZE});
  return survived();
}
