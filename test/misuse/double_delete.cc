// A block of operator new, deleted twice.
#include <new>

#include "misuse.h"

int main() {
  void* p = ::operator new(16384);
  void* again = opaque(p);
  expect("double", p, 0, 16384);
  ::operator delete(p);
  ::operator delete (again, std::size_t{16384});
  return survived();
}
