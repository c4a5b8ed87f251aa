// A process that has a thread which gives memory back forks 200 times, while 4 threads allocate and
// free. Children allocate, fork, exec or leave through exit; every 25th takes memory of its own,
// frees it and goes idle: the memory goes back there, too. A child that hangs is killed by its
// alarm and counted. Meant for a short SPILLWAY_PURGE_DELAY, so that purges and forks meet.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>

#include "family.h"
#include "process.h"
#include "tasks.h"

enum { kThreads = 4, kForks = 200, kAtOnce = 10, kLive = 24, kHangSeconds = 30, kOwn = 96 };

static atomic_int stop;
static char* self;

static void churn(uint64_t seed, int steps) {
  void* blocks[kLive] = {NULL};
  size_t sizes[kLive];
  uint64_t random = seed;
  for (int step = 0; steps == 0 ? !atomic_load(&stop) : step < steps; step++) {
    unsigned i = (unsigned)(next_random(&random) % kLive);
    if (blocks[i] != NULL) {
      CHECK(is_stamped(blocks[i], sizes[i], seed));
      free(blocks[i]);
    }
    sizes[i] = random_size(&random, 12, next_random(&random) % 16 == 0 ? 23 : 19);
    blocks[i] = malloc(sizes[i]);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], sizes[i], seed);
    // Free for a while, now and then: there must be something to purge.
    if (step % 200 == 199)
      for (int j = 0; j < kLive; j++) {
        free(blocks[j]);
        blocks[j] = NULL;
      }
  }
  for (int i = 0; i < kLive; i++) free(blocks[i]);
}

static void* run(void* argument) {
  churn((uint64_t)(uintptr_t)argument, 0);
  return NULL;
}

// The child's own purge thread is another one than its parent's.
static void grow_and_go_idle(void) {
  static void* blocks[kOwn];
  enum { kSize = 512 * 1024 };
  for (int i = 0; i < kOwn; i++) {
    blocks[i] = malloc(kSize);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kSize, 3);
  }
  size_t peak = resident_bytes();
  for (int i = 0; i < kOwn; i++) free(blocks[i]);
  double start = seconds_now();
  const size_t expected = (size_t)kOwn * kSize * 9 / 10;
  while (peak - resident_bytes() < expected && seconds_now() - start < 10) usleep(10000);
  CHECK_COMPARE(peak - resident_bytes(), >=, expected);
  _exit(0);
}

__attribute__((noreturn)) static void child(int number, void* inherited, size_t size) {
  alarm(kHangSeconds);
  CHECK(is_stamped(inherited, size, 99));
  free(inherited);
  churn(4242, 30);
  if (number % 25 == 0) grow_and_go_idle();
  if (number % 4 == 1) {
    pid_t grandchild = fork();
    CHECK(grandchild >= 0);
    if (grandchild == 0) {
      alarm(kHangSeconds);
      churn(77, 30);
      _exit(0);
    }
    int status;
    CHECK(waitpid(grandchild, &status, 0) == grandchild);
    CHECK_COMPARE(status, ==, 0);
  }
  if (number % 4 == 2) {
    execl(self, self, "leaf", (char*)NULL);
    CHECK(!"execl failed");
  }
  if (number % 4 == 3) exit(0);
  _exit(0);
}

int main(int argc, char** argv) {
  self = "/proc/self/exe";
  if (argc > 1 && strcmp(argv[1], "leaf") == 0) {
    churn(5, 30);
    return 0;
  }
  const size_t size = 700000;
  void* inherited = malloc(size);
  stamp(inherited, size, 99);
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, run, (void*)(i + 1)) == 0);
  double start = seconds_now();
  while (purge_task() == 0 && seconds_now() - start < 10) usleep(1000);
  CHECK(purge_task() != 0);
  int hung = 0, died = 0;
  for (int done = 0; done < kForks && hung < 3; done += kAtOnce) {
    pid_t children[kAtOnce];
    for (int i = 0; i < kAtOnce; i++) {
      children[i] = fork();
      CHECK(children[i] >= 0);
      if (children[i] == 0) child(done + i, inherited, size);
    }
    for (int i = 0; i < kAtOnce; i++) {
      int status;
      CHECK(waitpid(children[i], &status, 0) == children[i]);
      if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        hung++;
      } else if (status != 0) {
        died++;
      }
    }
  }
  CHECK(purge_task() != 0);
  atomic_store(&stop, 1);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  CHECK(is_stamped(inherited, size, 99));
  free(inherited);
  CHECK_COMPARE(hung, ==, 0);
  CHECK_COMPARE(died, ==, 0);
  return 0;
}
