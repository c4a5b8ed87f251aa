// SPDX-License-Identifier: MIT
// The heap works to the very end: atexit and on_exit handlers, static destructors, a detached
// thread that is still busy, and stdio's buffers flushed last.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "pattern.h"

namespace {

void use(unsigned seed) {
  for (size_t n = 100; n < (3u << 20); n *= 3) {
    std::vector<unsigned char> block(n);
    fill_bytes(block.data(), 0, n, seed);
    std::vector<unsigned char> copy = block;
    CHECK(bytes_match(copy.data(), 0, n, seed));
  }
}

struct Static {
  ~Static() {
    use(1);
    text.append(100000, 'z');
    CHECK(text.size() == 150000);
  }
  std::string text = std::string(50000, 'a');
} static_object;

void* early = nullptr;

void first_handler() {
  use(2);
  CHECK(is_stamped(early, 40000, 5));
  free(early);
}

void second_handler() {
  use(3);
  atexit(first_handler);  // registered while the handlers run
  early = malloc(40000);
  stamp(early, 40000, 5);
}

}  // namespace

int main() {
  atexit(second_handler);
  on_exit([](int, void*) { use(4); }, nullptr);
  std::thread([] {
    for (;;) use(6);
  }).detach();
  static_object.text.back() = 'b';
  setvbuf(stdout, nullptr, _IOFBF, 65536);
  printf("flushed at exit\n");
  return 0;
}
