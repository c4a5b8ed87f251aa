// SPDX-License-Identifier: MIT
// exhaustion SIZE: with 150 MiB of address space, takes blocks of SIZE bytes until there are no
// more. Every kind of failure must give null and ENOMEM without a word on stderr; freeing must keep
// errno; afterwards there is memory again.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "alloc/mimalloc/calls.h"

namespace mimalloc = spillway::mimalloc;

namespace {

struct Block {
  Block* next;
};

void require(bool condition, const char* what) {
  if (!condition) {
    std::printf("failed: %s\n", what);
    std::exit(1);
  }
}

bool is_refused(void* block) {
  const bool refused = block == nullptr && errno == ENOMEM;
  errno = 0;
  return refused;
}

}  // namespace

int main(int, char** arguments) {
  const size_t size = std::strtoul(arguments[1], nullptr, 0);
  const int messages = memfd_create("messages", 0);
  dup2(messages, STDERR_FILENO);
  const rlimit address_space = {150 << 20, 150 << 20};
  setrlimit(RLIMIT_AS, &address_space);

  size_t count = 0;
  Block* last = nullptr;
  errno = 0;
  while (auto* block = static_cast<Block*>(mimalloc::allocate(size))) {
    *block = {last};
    last = block;
    ++count;
  }
  require(errno == ENOMEM, "allocate sets ENOMEM");
  errno = 0;
  require(is_refused(mimalloc::allocate_zeroed(size)), "allocate_zeroed");
  require(is_refused(mimalloc::allocate_aligned(4096, size + 4096)), "allocate_aligned");
  require(is_refused(mimalloc::reallocate(last, size + (8 << 20))), "reallocate");
  require(count * size > (40 << 20), "a good part of the room is usable");
  while (last != nullptr) {
    Block* next = last->next;
    errno = 77;
    mimalloc::free(last);
    require(errno == 77, "free keeps errno");
    last = next;
  }
  require(mimalloc::allocate(size) != nullptr, "there is memory again");
  require(lseek(messages, 0, SEEK_END) == 0, "nothing is printed");
  std::printf("%zu blocks of %zu bytes\n", count, size);
  return 0;
}
