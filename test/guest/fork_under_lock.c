// SPDX-License-Identifier: MIT
// Forks while threads allocate, free, trim and purge under a mutex that another library's fork
// handlers take: none waits for the other. The library registers its handlers in its constructor or
// in main(). The forks may take as long as forks of this process do, and as the work under the
// mutex does; both are measured before, and a fork that waited for more would wait for a second.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "burst.h"
#include "lock_library.h"

enum { kThreads = 2, kForks = 200, kMeasured = 40, kMargin = 20 };

typedef void (*Work)(unsigned);

static atomic_int stop;
static Work work;

static void small(unsigned round) {
  void* blocks[100];
  for (unsigned i = 0; i < 100; i++) {
    blocks[i] = malloc(16 + (i * 67 + round) % 3000);
    memset(blocks[i], 1, 16);
  }
  for (int i = 0; i < 100; i++) free(blocks[i]);
}
static void first_of_threads(unsigned round);
static void pooled(unsigned round) { burst_of((size_t)16384 << round % 5, 4); }
static void trimmed(unsigned round) {
  pooled(round);
  malloc_trim(0);
}
static void large(unsigned round) { burst_of((size_t)(2 + round % 5) << 20, 16); }

static void* first_blocks(void* nothing) {
  free(malloc(50));
  free(malloc(50000));
  return nothing;
}
// Threads that begin and end: their heaps and caches come and go.
static void first_of_threads(unsigned round) {
  pthread_t thread;
  (void)round;
  CHECK(pthread_create(&thread, NULL, first_blocks, NULL) == 0);
  pthread_join(thread, NULL);
}

static atomic_long rounds;
static atomic_ulong held_ns;

static unsigned long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (unsigned long)t.tv_sec * 1000000000ul + (unsigned long)t.tv_nsec;
}

static void* run(void* nothing) {
  for (unsigned round = 0; !atomic_load(&stop); round++) {
    library_enter();
    const unsigned long start = now_ns();
    work(round);
    atomic_fetch_add(&held_ns, now_ns() - start);
    library_leave();
    atomic_fetch_add(&rounds, 1);
    usleep(300);
  }
  return nothing;
}

// Returns how long they took.
static unsigned long fork_children(int count) {
  const unsigned long start = now_ns();
  for (int i = 0; i < count; i++) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      free(malloc(100));
      free(malloc(100000));
      _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_COMPARE(status, ==, 0);
  }
  return now_ns() - start;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    Work work;
  } kWorks[] = {{"small", small},
                {"pooled", pooled},
                {"trimmed", trimmed},
                {"large", large},
                {"threads", first_of_threads}};
  CHECK(argc == 3);
  for (size_t i = 0; i < sizeof kWorks / sizeof *kWorks; i++)
    if (strcmp(argv[1], kWorks[i].name) == 0) work = kWorks[i].work;
  CHECK(work != NULL);
  if (strcmp(argv[2], "main") == 0) CHECK(library_watch_forks() == 0);
  work(1);
  const unsigned long alone_ns = fork_children(kMeasured) / kMeasured;
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; i++) CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
  WAIT_UNTIL(atomic_load(&rounds) >= kMeasured);
  const unsigned long round_ns = atomic_load(&held_ns) / (unsigned long)atomic_load(&rounds);
  const unsigned long taken_ns = fork_children(kForks);
  CHECK_COMPARE(taken_ns, <, kMargin * kForks * (alone_ns + kThreads * round_ns));
  atomic_store(&stop, 1);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  return 0;
}
