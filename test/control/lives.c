// SPDX-License-Identifier: MIT
// Processes of all kinds for a tool to look at. Each prints "ready" and lives until standard input
// ends, unless its mode says otherwise; exits with 0.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "family.h"

enum { kBlocks = 64, kSize = 1 << 20 };

static void ready(void) { CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6); }
static void wait_for_end(void) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
  }
}

// 64 MiB that are free, and no call any more.
static void idle(void) {
  static void *blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    CHECK((blocks[i] = malloc(kSize)) != NULL);
    memset(blocks[i], 1, kSize);
  }
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  ready();
  wait_for_end();
}

static void *wait_in_thread(void *nothing) {
  (void)nothing;
  usleep(100000);  // so that the first thread's end is over
  ready();
  wait_for_end();
  _exit(0);
}
static void first_thread_ends(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, wait_in_thread, NULL) == 0);
  pthread_exit(NULL);
}

// clone() kills.
static void filtered(void) {
  free(malloc(5000));
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  ready();
  wait_for_end();
}

static void undumpable(void) {
  CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
  ready();
  wait_for_end();
}

// Prints the child's number, and stands in vfork() meanwhile.
static void in_vfork(void) {
  free(malloc(5000));
  const pid_t child = vfork();
  if (child == 0) {
    write_number(STDOUT_FILENO, (uint64_t)getpid());
    write_text(STDOUT_FILENO, "\n");
    wait_for_end();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

// At each byte of standard input: a fork, whose child lives on as this one did.
static void forks(void) {
  ready();
  char byte;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      free(malloc(50000));
      write_number(STDOUT_FILENO, (uint64_t)getpid());
      write_text(STDOUT_FILENO, "\n");
      close(STDOUT_FILENO);
      for (;;) pause();
    }
  }
}

// At the first byte: runs the program of the second argument, in its place.
static void executes(const char *program) {
  ready();
  char byte;
  CHECK(read(STDIN_FILENO, &byte, 1) == 1);
  execl(program, program, "idle", (char *)NULL);
  _exit(1);
}

int main(int count, char **arguments) {
  CHECK(count >= 2);
  const char *mode = arguments[1];
  if (strcmp(mode, "idle") == 0) idle();
  if (strcmp(mode, "first_thread_ends") == 0) first_thread_ends();
  if (strcmp(mode, "filtered") == 0) filtered();
  if (strcmp(mode, "undumpable") == 0) undumpable();
  if (strcmp(mode, "in_vfork") == 0) in_vfork();
  if (strcmp(mode, "forks") == 0) forks();
  if (strcmp(mode, "executes") == 0) executes(arguments[2]);
  return 0;
}
