// SPDX-License-Identifier: MIT
// A C++ program linked with libspillway.a: operator new and the library's containers use it; a
// failing new throws. Prints "ours" when blocks come from the pool.
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "family.h"

namespace {

void use(unsigned seed) {
  std::map<std::string, std::vector<unsigned char>> map;
  for (size_t n = 10; n < (3u << 20); n *= 2) {
    auto& block = map[std::string(n % 5000, 'k')];
    block.resize(n);
    fill_bytes(block.data(), 0, n, seed);
    block.shrink_to_fit();
    CHECK(bytes_match(block.data(), 0, n, seed));
  }
  struct alignas(1024) Wide {
    char bytes[10240];
  };
  auto wide = std::make_unique<Wide[]>(7);
  CHECK(aligned_to(wide.get(), 1024));
}

size_t distance(void* a, void* b) {
  auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return x < y ? y - x : x - y;
}

int handler_calls = 0;

void give_up() {
  handler_calls++;
  std::set_new_handler(nullptr);
}

}  // namespace

int main() {
  std::thread threads[3];
  for (unsigned t = 0; t < 3; t++) threads[t] = std::thread(use, t);
  for (auto& thread : threads) thread.join();
  bool thrown = false;
  std::set_new_handler(give_up);
  try {
    ::operator delete(::operator new(opaque_size(PTRDIFF_MAX)));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK_COMPARE(handler_calls, ==, 1);
  CHECK(::operator new(opaque_size(PTRDIFF_MAX), std::nothrow) == nullptr);  // catches inside
  void* near = ::operator new(20000);
  void* of_mimalloc = ::operator new[](100);
  bool apart = distance(near, of_mimalloc) >= size_t{1} << 30;
  CHECK(!apart || malloc_usable_size(near) == 20480);
  ::operator delete(near);
  ::operator delete[](of_mimalloc);
  std::cout << (apart ? "ours" : "not ours");
}
