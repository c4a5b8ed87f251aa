// SPDX-License-Identifier: MIT
// fork_walk DESCRIPTOR: the program that fork_everywhere.cc steps. One thread walks through the
// malloc family; the first thread, or a signal handler of the walking one, forks. Each child uses
// every class and what it inherited, and leaves with kChildDone.
#include "fork_walk.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "alloc/config/size_classes.h"
#include "family.h"
#include "held.h"
#define SPILLWAY_WEAK
#include "spillway/spillway.h"

namespace {

using namespace torture;  // NOLINT(google-build-using-namespace)
using spillway::config::kHeapClassCount;
using spillway::config::kHeapClassSizes;

constexpr int kPerClass = 2;
constexpr uint32_t kClassStep = 4;
constexpr int kBurst = 20;
constexpr int kPageful = 70;  // blocks of 1000 bytes: more than a page of mimalloc's
constexpr uint64_t kChildOwner = 1000;

Shared* shared;
bool is_child;    // of a fork in the handler: set in the child's copy only
bool has_walked;  // the walking thread has come to its end
unsigned children;
uint32_t walks;

Row inherited;
Row handed_over;  // made by the first thread, freed by the walking one
Row handed_back;  // the reverse

// --- children

void use_classes(bool small_and_large) {
  Held held[kHeapClassCount + 8 + 3];
  int count = 0;
  for (uint32_t index = 1; index <= kHeapClassCount; ++index) {
    held[count] = make(kHeapClassSizes[index], kChildOwner + static_cast<uint64_t>(count));
    ++count;
  }
  if (small_and_large) {
    for (const int size : kSmallSizes) {
      held[count] = make(static_cast<size_t>(size), kChildOwner + static_cast<uint64_t>(count));
      ++count;
    }
    for (const size_t size : kLargeSizes) {
      held[count] = make(size, kChildOwner + static_cast<uint64_t>(count));
      ++count;
    }
  }
  while (count > 0) {
    --count;
    end(held[count], kChildOwner + static_cast<uint64_t>(count));
  }
}

void check_inherited() {
  for (int i = 0; i < inherited.count; ++i) {
    CHECK(is_marked(inherited.held[i], kMainOwner));
  }
}

void* use_in_thread(void* nothing) {
  use_classes(true);
  return nothing;
}

[[noreturn]] void finish_child() {
  use_classes(true);
  check_inherited();
  if (children % 8 == 0) {
    pthread_t thread;
    CHECK(pthread_create(&thread, nullptr, use_in_thread, nullptr) == 0);
    CHECK(pthread_join(thread, nullptr) == 0);
  }
  free_all(inherited);
  if (children % 8 == 0) {
    use_classes(true);
  }
  _exit(torture::kChildDone);
}

void finish_if_child() {
  if (is_child) {
    finish_child();
  }
}

void await_child(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    CHECK(errno == EINTR);
  }
  shared->child_status.store(static_cast<uint32_t>(status));
}

void fork_in_first_thread() {
  ++children;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(kHangSeconds);
    finish_child();
  }
  await_child(child);
}

// In the child the handler returns, too: what it interrupted goes on there, and is used afterwards.
void fork_here(int /*signal*/) {
  const int entry_errno = errno;
  ++children;
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    is_child = true;
    alarm(kHangSeconds);
    use_classes(false);
    check_inherited();
    if (has_walked) {
      _exit(torture::kChildDone);  // nothing of ours is called any more
    }
  } else {
    await_child(child);
    __asm__ volatile("int3");  // the driver sees the end of the handler
  }
  errno = entry_errno;
}

// --- the walk: short calls, since each instruction is stepped

// Hides the block from the compiler, and ends a child where the interrupted call has returned.
void* seen(void* block) {
  finish_if_child();
  CHECK(block != nullptr);
  return opaque(block);
}
void release(void* block) {
  free(block);
  finish_if_child();
}

void walk_burst(size_t size, int count) {
  void* blocks[kPageful];
  for (int i = 0; i < count; ++i) blocks[i] = seen(malloc(size));
  for (int i = 0; i < count; i += 2) release(blocks[i]);
  for (int i = 1; i < count; i += 2) release(blocks[i]);
}

void walk_small() {
  for (const int size : kSmallSizes) {
    walk_burst(static_cast<size_t>(size), 4);
    void* block = seen(calloc(1, static_cast<size_t>(size)));
    block = seen(realloc(block, static_cast<size_t>(size) * 2));
    release(block);
  }
  walk_burst(1000, kPageful);
}

void walk_classes() {
  // Other classes in each walk.
  for (uint32_t index = 1 + walks % kClassStep; index <= kHeapClassCount; index += kClassStep) {
    walk_burst(kHeapClassSizes[index], kPerClass);
  }
  for (const size_t size : {size_t{20480}, size_t{300000}}) {
    walk_burst(size, kBurst);
  }
}

void walk_large() {
  for (const size_t size : kLargeSizes) {
    release(seen(malloc(size)));
  }
  void* block = seen(malloc(100000));
  for (size_t size = 200000; size <= (4 << 20); size *= 2) {
    block = seen(realloc(block, size));
  }
  block = seen(realloc(block, 2 << 20));
  release(seen(realloc(block, 5000)));
}

// A longer block is cleared by an instruction that repeats: a step for each byte.
constexpr size_t kMaxCleared = 4096;

void walk_others() {
  for (size_t alignment = 32; alignment <= (2 << 20); alignment *= 8) {
    release(seen(aligned_alloc(alignment, alignment * 2)));
    void* block = nullptr;
    CHECK(posix_memalign(&block, alignment, 5000) == 0);
    release(seen(block));
    release(seen(memalign(alignment, 100)));
  }
  for (const size_t size : {size_t{4096}, size_t{100000}, size_t{1} << 20, size_t{3} << 20}) {
    void* block = seen(size <= kMaxCleared ? calloc(1, size) : malloc(size));
    CHECK(malloc_usable_size(block) >= size);
    release(block);
    block = seen(::operator new(size));
    ::operator delete(block, size);
    finish_if_child();
  }
  malloc_trim(0);
  finish_if_child();
  static_cast<void>(mallinfo2());
  finish_if_child();
}

// In a tenant, where each block is charged.
void walk_tenant() {
  const int tenant = spillway_tenant_create("walked", 1 << 20);
  finish_if_child();
  if (tenant < 0) {
    return;  // the options have none
  }
  CHECK(spillway_tenant_enter(tenant) >= 0);
  finish_if_child();
  walk_burst(5000, kBurst);
  for (const size_t size : {size_t{100}, size_t{4096}, size_t{100000}, size_t{3} << 20}) {
    void* block = seen(size <= kMaxCleared ? calloc(1, size) : malloc(size));
    block = seen(realloc(block, 2 * size));
    release(seen(realloc(block, size)));
    release(seen(memalign(4096, size)));
  }
  CHECK(spillway_tenant_leave() == tenant);
  finish_if_child();
  CHECK(spillway_tenant_bytes(tenant) == 0);
}

// The last to be called at the thread's end, in each of the rounds that libc makes of it: the keys
// of the library are lower.
pthread_key_t end_key;
void on_walk_end(void* round) {
  finish_if_child();
  has_walked = true;
  const auto next = reinterpret_cast<uintptr_t>(round) + 1;
  if (next <= PTHREAD_DESTRUCTOR_ITERATIONS) {
    CHECK(pthread_setspecific(end_key, reinterpret_cast<void*>(next)) == 0);
  }
}

void* walk(void* nothing) {
  CHECK(pthread_setspecific(end_key, reinterpret_cast<void*>(1)) == 0);
  // Not before it is stepped.
  shared->walker.store(static_cast<int32_t>(syscall(SYS_gettid)));
  while (shared->may_walk.load() == 0) {
    usleep(100);
  }
  for (int i = 0; i < handed_over.count; ++i) {
    release(handed_over.held[i].block);
  }
  walk_small();
  walk_classes();
  walk_large();
  walk_others();
  walk_tenant();
  for (int i = 0; i < handed_back.count; ++i) {
    handed_back.held[i].block = seen(malloc(handed_back.held[i].size));
  }
  return nothing;
}

// --- the first thread

pthread_t start_walker() {
  make_all(handed_over);
  shared->may_walk.store(0);
  shared->walker.store(0);
  ++walks;
  has_walked = false;
  pthread_t thread;
  CHECK(pthread_create(&thread, nullptr, walk, nullptr) == 0);
  while (shared->walker.load() == 0) {
    usleep(100);
  }
  return thread;
}

void join_walker(pthread_t thread) {
  CHECK(pthread_join(thread, nullptr) == 0);
  free_all(handed_back);
  check_inherited();
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2);
  void* const mapping =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
  CHECK(mapping != MAP_FAILED);
  shared = static_cast<Shared*>(mapping);
  struct sigaction action = {};
  action.sa_handler = fork_here;
  CHECK(sigaction(SIGUSR1, &action, nullptr) == 0);
  CHECK(pthread_key_create(&end_key, on_walk_end) == 0);
  shared->handler.store(reinterpret_cast<uint64_t>(&fork_here));
  for (Row* row : {&inherited, &handed_over, &handed_back}) choose_sizes(*row);
  for (const size_t size : kLargeSizes) inherited.add(size);
  make_all(inherited);
  pthread_t walker{};
  for (uint32_t done = 0;; ++done) {
    while (shared->orders.load() == done) {
      syscall(SYS_futex, &shared->orders, FUTEX_WAIT, done, nullptr, nullptr, 0);
    }
    const Order order = shared->order.load();
    if (order == Order::kWalk) walker = start_walker();
    if (order == Order::kFork) fork_in_first_thread();
    if (order == Order::kJoin) join_walker(walker);
    shared->answers.store(done + 1);
    syscall(SYS_futex, &shared->answers, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    if (order == Order::kStop) return 0;
  }
}
