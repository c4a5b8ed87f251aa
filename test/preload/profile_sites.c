// SPDX-License-Identifier: MIT
// Allocates known bytes at known places: profile_sites [fork|threads|signals|tracer]. Each function
// with a name in profile.py is a place.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE __attribute__((noinline))

static void* volatile kept;
static void use(void* block) {
  *(volatile char*)block = 1;
  kept = block;
}

PLACE void small_leak(void) { use(malloc(48)); }
PLACE void small_churn(void) {
  void* block = malloc(200);
  use(block);
  free(block);
}
PLACE void medium_leak(void) { use(malloc(3000)); }
PLACE void pooled_leak(void) { use(malloc(20000)); }
PLACE void pooled_churn(void) {
  void* block = malloc(50000);
  use(block);
  free(block);
}
PLACE void large_leak(void) { use(malloc(3000000)); }
PLACE void zeroed_churn(void) {
  void* block = calloc(1, 8000);
  use(block);
  free(block);
}
PLACE void aligned_leak(void) { use(aligned_alloc(64, 640)); }
PLACE void realloc_churn(void) {
  void* block = malloc(30);
  use(block);
  block = realloc(block, 60);
  use(block);
  block = realloc(block, 6000);
  use(block);
  free(block);
}

static void allocate_all(void) {
  for (int i = 0; i < 100000; ++i) {
    small_leak();
    small_churn();
    small_churn();
  }
  for (int i = 0; i < 5000; ++i) {
    medium_leak();
    aligned_leak();
    pooled_churn();
    zeroed_churn();
    realloc_churn();
  }
  for (int i = 0; i < 1000; ++i) {
    pooled_leak();
  }
  for (int i = 0; i < 10; ++i) {
    large_leak();
  }
}

static void* in_thread(void* argument) {
  allocate_all();
  return argument;
}

// On a signal stack, and deep in whatever was interrupted.
static void on_signal(int signal) {
  (void)signal;
  pooled_churn();
}

static void with_signals(void) {
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval often = {.it_interval = {.tv_usec = 200}, .it_value = {.tv_usec = 200}};
  setitimer(ITIMER_REAL, &often, NULL);
  allocate_all();
  const struct itimerval never = {0};
  setitimer(ITIMER_REAL, &never, NULL);
}

// Until the input ends: more than a thread cache keeps.
static void until_told(void) {
  char byte;
  if (write(STDOUT_FILENO, "\n", 1) != 1) {
    exit(1);
  }
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  while (read(STDIN_FILENO, &byte, 1) < 0) {
    void* blocks[100];
    for (int i = 0; i < 100; ++i) {
      blocks[i] = malloc(100000 + (size_t)i * 1000);
      use(blocks[i]);
    }
    for (int i = 0; i < 100; ++i) {
      free(blocks[i]);
    }
  }
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  if (strcmp(how, "threads") == 0) {
    pthread_t threads[4];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (int i = 0; i < 4; ++i) {
      if (pthread_create(&threads[i], &small, in_thread, NULL) != 0) {
        return 1;
      }
    }
    for (int i = 0; i < 4; ++i) {
      pthread_join(threads[i], NULL);
    }
  } else if (strcmp(how, "signals") == 0) {
    with_signals();
  } else if (strcmp(how, "tracer") == 0) {
    until_told();
  } else if (strcmp(how, "fork") == 0) {
    pooled_leak();
    const pid_t child = fork();
    allocate_all();
    if (child == 0) {
      return 0;
    }
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
  } else {
    allocate_all();
  }
  return 0;
}
