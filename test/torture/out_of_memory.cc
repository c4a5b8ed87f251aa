// SPDX-License-Identifier: MIT
// out_of_memory: uses the whole malloc family a little, in threads, a forked child and under other
// options than the default's. Whatever the kernel refuses meanwhile (faults.py), each request gives
// a block, or null with ENOMEM; what is live keeps its contents, and the program ends with status
// 0.
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cerrno>
#include <new>

#include "check.h"
#include "contents.h"

namespace {

constexpr size_t kSizes[] = {1,     100,   1000,   4000,    4096,    20000,
                             65536, 70000, 300000, 1 << 20, 3 << 20, 9 << 20};
constexpr size_t kHuge = 80 << 20;
constexpr int kSizeCount = sizeof kSizes / sizeof *kSizes;
constexpr int kOfEach = 12;

struct Held {
  void* block;
  size_t size;
};

// Null is right with ENOMEM only.
void* answered(void* block) {
  if (block == nullptr) {
    CHECK_COMPARE(errno, ==, ENOMEM);
  }
  return block;
}

Held make(int number) {
  const size_t size = kSizes[number % kSizeCount];
  // Long ones take the machine's memory only where they are written to, in a few places.
  errno = 0;
  void* block = nullptr;
  switch (number % 4) {
    case 0:
      block = answered(calloc(1, size));
      CHECK(block == nullptr || torture::is_zero(block, size < 65536 ? size : 65536));
      break;
    case 1:
      block = answered(aligned_alloc(256, size));
      break;
    case 2:
      block = answered(::operator new(size, std::nothrow));
      break;
    default:
      block = answered(malloc(size));
  }
  if (block != nullptr) {
    torture::write_contents(block, size < 65536 ? size : 65536, size);
  }
  return {block, size};
}

bool is_whole(const Held& held) {
  const size_t written = held.size < 65536 ? held.size : 65536;
  return held.block == nullptr || torture::has_contents(held.block, written, held.size, written);
}

void use_all() {
  const Held huge = {answered(malloc(kHuge)), 0};
  free(huge.block);
  Held held[kSizeCount * kOfEach];
  constexpr int kCount = sizeof held / sizeof *held;
  for (int i = 0; i < kCount; ++i) held[i] = make(i);
  for (int i = 0; i < kCount; i += 3) {
    CHECK(is_whole(held[i]));
    errno = 0;
    const size_t size = held[i].size * 2;
    void* const block = answered(realloc(held[i].block, size));
    if (block != nullptr) {
      CHECK(held[i].block == nullptr || is_whole({block, held[i].size}));
      torture::write_contents(block, size < 65536 ? size : 65536, size);
      held[i] = {block, size};
    }
  }
  malloc_trim(0);
  static_cast<void>(mallinfo2());
  for (const Held& one : held) {
    CHECK(is_whole(one));
    errno = 4711;
    free(one.block);
    CHECK_COMPARE(errno, ==, 4711);
  }
}

void* use_in_thread(void* nothing) {
  use_all();
  return nothing;
}

}  // namespace

int main() {
  use_all();
  pthread_t threads[2];
  bool started[2];
  for (int i = 0; i < 2; ++i) {
    started[i] = pthread_create(&threads[i], nullptr, use_in_thread, nullptr) == 0;
  }
  const pid_t child = fork();
  if (child == 0) {
    use_all();
    _exit(0);
  }
  for (int i = 0; i < 2; ++i) {
    if (started[i]) CHECK(pthread_join(threads[i], nullptr) == 0);
  }
  if (child > 0) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_COMPARE(status, ==, 0);
  }
  use_all();
  return 0;
}
