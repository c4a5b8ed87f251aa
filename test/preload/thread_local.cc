// SPDX-License-Identifier: MIT
// C++ thread_local objects whose constructors and destructors use the heap, in threads that use it
// for the first time there.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pattern.h"

namespace {

std::atomic<int> made{0}, destroyed{0};

struct Buffers {
  explicit Buffers(uint64_t owner) : owner(owner) {
    for (size_t n = 16; n <= size_t{4} << 20; n *= 4) {
      blocks.emplace_back(new char[n]);
      sizes.push_back(n);
      stamp(blocks.back().get(), n, owner);
    }
    made++;
  }
  ~Buffers() {
    for (size_t i = 0; i < sizes.size(); i++) {
      CHECK(is_stamped(blocks[i].get(), sizes[i], owner));
      std::vector<char> more(sizes[i] * 2, 'x');  // allocates while it frees
      std::string text(20000, 'y');
      blocks[i].reset();
      CHECK(more.back() == 'x' && text.back() == 'y');
    }
    destroyed++;
  }
  uint64_t owner;
  std::vector<std::unique_ptr<char[]>> blocks;
  std::vector<size_t> sizes;
};

thread_local Buffers first{1};
thread_local Buffers second{2};

struct Last {
  ~Last() {
    // Made during the destruction of the others.
    static thread_local Buffers late{3};
    late.owner = 3;
  }
};
thread_local Last last;

}  // namespace

int main() {
  for (int round = 0; round < 50; round++) {
    std::thread threads[4];
    for (auto& thread : threads)
      thread = std::thread([] {
        second.owner = 2;
        first.owner = 1;
        (void)&last;
      });
    for (auto& thread : threads) thread.join();
  }
  CHECK_COMPARE(made.load(), ==, destroyed.load());
  CHECK_COMPARE(made.load(), >=, 400);
  return 0;
}
