// SPDX-License-Identifier: MIT
// Makes every call that is recorded, each with a size of its own; every_call.py knows them. Then
// two threads hand blocks over, a cancelled one goes on, and a forked child allocates. With the
// argument `forks` only children whose first calls are those of two threads.
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

namespace {

// Larger than any block, but not than any number that a compiler calls a size.
volatile size_t g_huge = SIZE_MAX / 2 - (1 << 20);
constexpr int kHanded = 2000;
constexpr int kCallsOfCancelled = 3000;  // more than one chunk of the recorder's
constexpr int kForks = 40;
constexpr unsigned kHangSeconds = 120;

struct alignas(128) Wide {
  char bytes[128];
};

void* g_handed[kHanded];

void* take_over(void*) {
  for (int i = 0; i < kHanded; ++i) {
    void* block = nullptr;
    while ((block = __atomic_load_n(&g_handed[i], __ATOMIC_ACQUIRE)) == nullptr) {
      sched_yield();
    }
    if (i % 2 == 0) {
      block = realloc(block, 300000);
    }
    free(block);
  }
  return nullptr;
}

void hand_over() {
  pthread_t taker;
  pthread_create(&taker, nullptr, take_over, nullptr);
  for (void*& slot : g_handed) {
    __atomic_store_n(&slot, malloc(200000), __ATOMIC_RELEASE);
  }
  pthread_join(taker, nullptr);
}

void* brief_thread(void* size) {
  free(malloc(reinterpret_cast<size_t>(size)));
  return nullptr;
}

void start_brief_threads() {
  for (int i = 0; i < 200; ++i) {
    pthread_t thread;
    pthread_create(&thread, nullptr, brief_thread, reinterpret_cast<void*>(400000));
    pthread_join(thread, nullptr);
  }
}

bool every_function() {
  void* aligned = nullptr;
  if (posix_memalign(&aligned, 64, 100005) != 0) {
    return false;
  }
  void* grown = malloc(100001);
  grown = realloc(grown, 100003);
  grown = reallocarray(grown, 10, 10004);
  void* all[] = {
      realloc(nullptr, 100000),      calloc(2, 50001),      grown,          aligned,
      aligned_alloc(128, 128 * 800), memalign(256, 100007), valloc(100008), pvalloc(102401)};
  for (void* block : all) {
    if (block == nullptr) {
      return false;
    }
    free(block);
  }
  free(nullptr);
  free(realloc(malloc(100010), 0));  // freed already, or there still is a block
  if (reallocarray(nullptr, g_huge, 4) != nullptr) {
    return false;
  }
  void* kept = malloc(100011);
  // Refused by every allocator: the block stays.
  void* volatile refused = realloc(kept, g_huge);
  free(kept);
  return refused == nullptr;
}

void every_operator() {
  constexpr std::align_val_t kLine{512};
  operator delete(operator new(110001));
  operator delete[](operator new[](110002));
  operator delete (operator new(110003), size_t{110003});
  operator delete[](operator new[](110004), size_t{110004});
  operator delete(operator new(110005, std::nothrow), std::nothrow);
  operator delete[](operator new[](110006, std::nothrow), std::nothrow);
  operator delete(operator new(110007, kLine), kLine);
  operator delete[](operator new[](110008, kLine), kLine);
  operator delete (operator new(110009, kLine), size_t{110009}, kLine);
  operator delete[](operator new[](110010, kLine, std::nothrow), kLine, std::nothrow);
  delete[] new Wide[1000];
  try {
    operator delete(operator new(g_huge));
  } catch (const std::bad_alloc&) {
    operator delete(operator new(110011));
  }
}

// No call of the allocator is a cancellation point, whatever the recorder has to do in it.
void* cancelled_thread(void* done) {
  pthread_cancel(pthread_self());
  for (int i = 0; i < kCallsOfCancelled; ++i) {
    free(malloc(1000));
  }
  *static_cast<bool*>(done) = true;
  pthread_testcancel();
  return nullptr;
}

bool cancelled_where_it_may_be() {
  bool done = false;
  void* result = nullptr;
  pthread_t thread;
  pthread_create(&thread, nullptr, cancelled_thread, &done);
  pthread_join(thread, &result);
  return done && result == PTHREAD_CANCELED;
}

bool in_a_child() {
  void* inherited = malloc(120001);
  const pid_t child = fork();
  if (child == 0) {
    free(inherited);
    free(malloc(500001));
    pthread_t thread;
    pthread_create(&thread, nullptr, brief_thread, reinterpret_cast<void*>(500002));
    pthread_join(thread, nullptr);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  free(inherited);
  return status == 0;
}

void* begin_together(void* barrier) {
  pthread_barrier_wait(static_cast<pthread_barrier_t*>(barrier));
  free(malloc(600001));
  return nullptr;
}

void two_begin_together() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  pthread_t threads[2];
  for (pthread_t& thread : threads) {
    pthread_create(&thread, nullptr, begin_together, &barrier);
  }
  for (const pthread_t thread : threads) {
    pthread_join(thread, nullptr);
  }
}

// The stacks are those of the parent's two threads: starting the child's allocates nothing.
bool children_begun_by_two() {
  two_begin_together();
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kHangSeconds);
      two_begin_together();
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  alarm(4 * kHangSeconds);
  if (argc == 2 && strcmp(argv[1], "forks") == 0) {
    return children_begun_by_two() ? 0 : 4;
  }
  if (!every_function()) {
    return 1;
  }
  every_operator();
  hand_over();
  start_brief_threads();
  if (!cancelled_where_it_may_be()) {
    return 3;
  }
  if (!in_a_child()) {
    return 2;
  }
  free(malloc(130001));
  _exit(7);  // nothing is flushed, and the last event still counts
}
