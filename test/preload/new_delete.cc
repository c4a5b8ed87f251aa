// SPDX-License-Identifier: MIT
// All forms of operator new and delete: sizes, alignment, contents; sizes given to delete are only
// hints.
#include <cstdlib>
#include <initializer_list>
#include <new>

#include "family.h"

namespace {

void check_plain(size_t n) {
  void* a = ::operator new(n);
  void* b = ::operator new[](n);
  void* c = ::operator new(n, std::nothrow);
  void* d = ::operator new[](n, std::nothrow);
  CHECK(a && b && c && d && a != b && c != d);
  fill_bytes(a, 0, n, 1);
  fill_bytes(b, 0, n, 2);
  fill_bytes(c, 0, n, 3);
  fill_bytes(d, 0, n, 4);
  CHECK(bytes_match(a, 0, n, 1) && bytes_match(b, 0, n, 2));
  CHECK(bytes_match(c, 0, n, 3) && bytes_match(d, 0, n, 4));
  errno = 4711;
  ::operator delete(a);
  ::operator delete[](b);
  ::operator delete(c, std::nothrow);
  ::operator delete[](d, std::nothrow);
  CHECK_COMPARE(errno, ==, 4711);
  ::operator delete(::operator new(n), n);
  ::operator delete[](::operator new[](n), n);
  ::operator delete (::operator new(n), size_t{1});  // wrong sizes, as real programs pass
  ::operator delete[](::operator new[](n), n * 2 + 100);
  ::operator delete (::operator new(n), size_t{0});
  free(::operator new(n));
}

void check_aligned(size_t n, size_t alignment) {
  auto align = std::align_val_t{alignment};
  void* a = ::operator new(n, align);
  void* b = ::operator new[](n, align);
  void* c = ::operator new(n, align, std::nothrow);
  void* d = ::operator new[](n, align, std::nothrow);
  for (void* p : {a, b, c, d}) {
    CHECK(p != nullptr && aligned_to(p, alignment));
    if (n >= 8) stamp(p, n, alignment);
  }
  for (void* p : {a, b, c, d}) CHECK(n < 8 || is_stamped(p, n, alignment));
  ::operator delete(a, align);
  ::operator delete[](b, align);
  ::operator delete(c, align, std::nothrow);
  ::operator delete[](d, align, std::nothrow);
  ::operator delete(::operator new(n, align), n, align);
  ::operator delete[](::operator new[](n, align), n, align);
  ::operator delete(::operator new(n, align), n + 1, align);
  ::operator delete[](::operator new[](n, align), size_t{0}, align);
}

}  // namespace

int main() {
  for (size_t n : kSizes) {
    check_plain(n);
    for (size_t alignment = 16; alignment <= size_t{2} << 20; alignment *= 4)
      check_aligned(n, alignment);
  }
  ::operator delete(nullptr);
  ::operator delete[](nullptr, size_t{8});
  ::operator delete (nullptr, std::align_val_t{64});
  ::operator delete(nullptr, std::nothrow);
  return 0;
}
