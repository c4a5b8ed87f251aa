// fork in a process with 16 busy threads, 1000 times: each child allocates and frees pooled, small
// and large blocks, some of its parent's too, and leaves. A child that hangs is killed by its alarm
// and counted. argv[1]: another number of forks.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "family.h"

enum { kThreads = 16, kAtOnce = 10, kLive = 8, kHangSeconds = 20 };

static atomic_int stop;

static size_t busy_size(uint64_t* random) {
  uint64_t kind = next_random(random) % 8;
  if (kind == 0) return random_size(random, 21, 22);
  if (kind < 4) return random_size(random, 4, 12);
  return random_size(random, 12, 20);
}

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
    sizes[i] = busy_size(&random);
    blocks[i] = malloc(sizes[i]);
    CHECK(blocks[i] != NULL);
    put_word(blocks[i], 0);
    stamp(blocks[i], sizes[i], seed);
  }
  for (int i = 0; i < kLive; i++) free(blocks[i]);
}

static void* run(void* argument) {
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15);  // the children come first
  churn((uint64_t)(uintptr_t)argument, 0);
  return NULL;
}

static void child(void** inherited, const size_t* sizes) {
  alarm(kHangSeconds);
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(is_stamped(inherited[i], sizes[i], 99));
    free(inherited[i]);
  }
  churn(4242, 40);
  void* large = malloc(3 << 20);
  CHECK(large != NULL);
  stamp(large, 3 << 20, 1);
  large = realloc(large, 100000);
  free(large);
  _exit(0);
}

int main(int argc, char** argv) {
  int forks = argc > 1 ? atoi(argv[1]) : 1000;
  void* inherited[kSizeCount];
  size_t sizes[kSizeCount];
  for (size_t i = 0; i < kSizeCount; i++) {
    sizes[i] = kSizes[i] + 8;
    inherited[i] = malloc(sizes[i]);
    stamp(inherited[i], sizes[i], 99);
  }
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, run, (void*)(i + 1)) == 0);
  int hung = 0, died = 0;
  for (int done = 0; done < forks && hung < 3; done += kAtOnce) {
    pid_t children[kAtOnce];
    for (int i = 0; i < kAtOnce; i++) {
      children[i] = fork();
      CHECK(children[i] >= 0);
      if (children[i] == 0) child(inherited, sizes);
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
  atomic_store(&stop, 1);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(is_stamped(inherited[i], sizes[i], 99));
    free(inherited[i]);
  }
  CHECK_COMPARE(hung, ==, 0);
  CHECK_COMPARE(died, ==, 0);
  return 0;
}
