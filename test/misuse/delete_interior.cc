// SPDX-License-Identifier: MIT
// operator delete of an address inside a block.
#include <new>

#include "misuse.h"

int main() {
  char* p = static_cast<char*>(::operator new(16384));
  expect("interior", p + 64, 64, 16384);
  ::operator delete(opaque(p + 64));
  return survived();
}
