// SPDX-License-Identifier: MIT
// The process ends as POSIX has it, while the library's thread waits for free memory to age: with
// its last thread, by exit handlers and status 0; by a signal; and by the first thread's own exit
// system call under strict seccomp, with that status. For a long SPILLWAY_PURGE_DELAY.
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "burst.h"

enum { kHandlerRan = 42, kOwnStatus = 7 };

static void leave(void) { _exit(kHandlerRan); }

static void* end_late(void* nothing) {
  usleep(100000);
  return nothing;
}

static void* end_by_exit(void* nothing) {
  usleep(100000);
  pthread_exit(nothing);
}

static void* burst_late(void* nothing) {
  usleep(100000);
  burst(32);
  return nothing;
}

static void* wait_for_signal(void* nothing) {
  pause();
  return nothing;
}

static void run_main(void* (*body)(void*), int threads) {
  atexit(leave);
  burst(16);
  if (body != burst_late) awaited_purge_task();
  for (int i = 0; i < threads; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
    CHECK(pthread_detach(thread) == 0);
  }
  pthread_exit(NULL);
}

static void run_strict(void) {
  burst(16);
  awaited_purge_task();
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(77);
  syscall(SYS_exit, kOwnStatus);
}

static int status_of(char** argv, const char* mode) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    execl("/proc/self/exe", argv[0], mode, (char*)NULL);
    _exit(99);
  }
  if (strcmp(mode, "signal") == 0) {
    usleep(300000);
    kill(child, SIGTERM);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

int main(int argc, char** argv) {
  if (argc > 1) {
    const char* mode = argv[1];
    if (strcmp(mode, "return") == 0) run_main(end_late, 1);
    if (strcmp(mode, "pthread_exit") == 0) run_main(end_by_exit, 3);
    if (strcmp(mode, "burst") == 0) run_main(burst_late, 2);
    if (strcmp(mode, "signal") == 0) run_main(wait_for_signal, 1);
    if (strcmp(mode, "none") == 0) run_main(NULL, 0);
    if (strcmp(mode, "strict") == 0) run_strict();
    return 98;
  }
  for (int round = 0; round < 3; round++) {
    static const char* const kByLastThread[] = {"return", "pthread_exit", "burst", "none"};
    for (int i = 0; i < 4; i++) {
      const int status = status_of(argv, kByLastThread[i]);
      CHECK(WIFEXITED(status));
      CHECK_COMPARE(WEXITSTATUS(status), ==, kHandlerRan);
    }
    const int signalled = status_of(argv, "signal");
    CHECK(WIFSIGNALED(signalled) && WTERMSIG(signalled) == SIGTERM);
#ifdef __GLIBC__  // musl does not say where the kernel notes the end of the first thread
    const int strict = status_of(argv, "strict");
    CHECK(WIFEXITED(strict));
    if (WEXITSTATUS(strict) != 77) CHECK_COMPARE(WEXITSTATUS(strict), ==, kOwnStatus);
#endif
  }
  return 0;
}
