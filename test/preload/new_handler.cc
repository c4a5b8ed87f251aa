// SPDX-License-Identifier: MIT
// What operator new does when memory is short: it calls the new_handler in a loop, lets what it
// throws pass, throws std::bad_alloc without one; the nothrow forms turn bad_alloc into nullptr.
#include <cstdlib>
#include <initializer_list>
#include <new>

#include "family.h"

namespace {

int calls = 0;

struct Other {};

void give_up_at_the_third() {
  if (++calls == 3) std::set_new_handler(nullptr);
}

void throw_bad_alloc() {
  calls++;
  throw std::bad_alloc();
}

void throw_other() {
  calls++;
  throw Other();
}

using New = void* (*)(size_t);

void* plain(size_t n) { return ::operator new(n); }
void* array(size_t n) { return ::operator new[](n); }
void* aligned(size_t n) { return ::operator new (n, std::align_val_t{4096}); }
void* aligned_array(size_t n) { return ::operator new[](n, std::align_val_t{64}); }
void* nothrow(size_t n) { return ::operator new(n, std::nothrow); }
void* nothrow_array(size_t n) { return ::operator new[](n, std::nothrow); }
void* nothrow_aligned(size_t n) { return ::operator new (n, std::align_val_t{4096}, std::nothrow); }
void* nothrow_aligned_array(size_t n) {
  return ::operator new[](n, std::align_val_t{64}, std::nothrow);
}

template <typename Error>
bool throws(New make, size_t n) {
  try {
    make(n);
  } catch (const Error&) {
    return true;
  }
  return false;
}

void check_throwing(New make, size_t n) {
  std::set_new_handler(nullptr);
  CHECK(throws<std::bad_alloc>(make, n));

  calls = 0;
  std::set_new_handler(give_up_at_the_third);
  CHECK(throws<std::bad_alloc>(make, n));
  CHECK_COMPARE(calls, ==, 3);

  calls = 0;
  std::set_new_handler(throw_other);
  CHECK(throws<Other>(make, n));
  CHECK_COMPARE(calls, ==, 1);
}

void check_nothrow(New make, size_t n) {
  std::set_new_handler(nullptr);
  CHECK(make(n) == nullptr);

  calls = 0;
  std::set_new_handler(give_up_at_the_third);
  CHECK(make(n) == nullptr);
  CHECK_COMPARE(calls, ==, 3);

  calls = 0;
  std::set_new_handler(throw_bad_alloc);
  CHECK(make(n) == nullptr);
  CHECK_COMPARE(calls, ==, 1);
}

}  // namespace

int main() {
  for (size_t impossible : kImpossible) {
    size_t n = opaque_size(impossible);
    for (New make : {plain, array, aligned, aligned_array}) check_throwing(make, n);
    for (New make : {nothrow, nothrow_array, nothrow_aligned, nothrow_aligned_array})
      check_nothrow(make, n);
  }
  // The heap is as good as before.
  std::set_new_handler(nullptr);
  void* p = ::operator new(50000);
  stamp(p, 50000, 1);
  CHECK(is_stamped(p, 50000, 1));
  ::operator delete(p);
  return 0;
}
