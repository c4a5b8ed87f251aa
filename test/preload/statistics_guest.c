// SPDX-License-Identifier: MIT
// statistics_guest SITUATION [ARGUMENT]: what programs do with descriptors, processes, limits and
// sandboxes before they end. Statistics at exit must not change how. Status 0 unless it says
// otherwise; driven by statistics.py.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void plain(const char* argument) { (void)argument; }

static void exit_status(const char* argument) { exit(atoi(argument)); }

// --- descriptors ---------------------------------------------------------------------------------

// 300 data files, on every number that was free.
static void open_many(const char* folder) {
  char path[300];
  for (int i = 0; i < 300; i++) {
    snprintf(path, sizeof path, "%s/%d", folder, i);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK(write(file, "DATA", 4) == 4);
  }
}

static void close_from(const char* folder) {
  closefrom(3);
  open_many(folder);
}

static void close_everything(const char* folder) {
  for (int i = 0; i < 1024; i++) close(i);
  open_many(folder);  // 2 is one of them
}

static void close_range_all(const char* folder) {
  CHECK(syscall(SYS_close_range, 0u, ~0u, 0u) == 0);
  open_many(folder);
}

static void close_stderr(void) { CHECK(fclose(stderr) == 0); }

// As all of coreutils.
static void close_at_exit(const char* argument) {
  (void)argument;
  atexit(close_stderr);
}

static const char* data_file;
static void reopen_stderr(void) {
  close(2);
  CHECK(open(data_file, O_RDWR | O_CREAT | O_TRUNC, 0644) == 2);
  CHECK(write(2, "DATA", 4) == 4);
}

// A handler's file has the number that standard error had.
static void reopen_at_exit(const char* path) {
  data_file = path;
  atexit(reopen_stderr);
}

static void close_standard(const char* argument) {
  (void)argument;
  for (int i = 0; i < 3; i++) close(i);
}

// --- processes that live on ----------------------------------------------------------------------
// Until the FIFO ARGUMENT has a byte for them, a minute at most.

static void wait_for_release(const char* fifo) {
  char byte;
  alarm(60);
  int file = open(fifo, O_RDONLY);
  if (file >= 0 && read(file, &byte, 1) < 0) _exit(1);
}

static void forget_output(void) {
  int null = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++) dup2(null, i);
  if (null > 2) close(null);
}

static void become_daemon(const char* fifo) {
  CHECK(daemon(0, 0) == 0);
  wait_for_release(fifo);
}

static void fork_twice(const char* fifo) {
  if (fork() != 0) exit(0);
  setsid();
  if (fork() != 0) exit(0);
  forget_output();
  wait_for_release(fifo);
}

// Without the handlers of pthread_atfork().
static void clone_daemon(const char* fifo) {
  if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0) exit(0);
  forget_output();
  wait_for_release(fifo);
}

// As bash's `exec >&- 2>&-`.
static void close_and_live(const char* fifo) {
  for (int i = 0; i < 3; i++) close(i);
  wait_for_release(fifo);
}

// --- children ------------------------------------------------------------------------------------

static void wait_for(pid_t child) {
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fork_child(const char* argument) {
  (void)argument;
  pid_t child = fork();
  if (child == 0) {
    free(malloc(50000));
    exit(0);
  }
  wait_for(child);
}

static void fork_bare(const char* argument) {
  (void)argument;
  pid_t child = _Fork();
  if (child == 0) exit(0);
  wait_for(child);
}

static void fork_and_end_first(const char* argument) {
  (void)argument;
  if (fork() == 0) _exit(0);
}

static void vfork_and_exec(const char* program) {
  pid_t child = vfork();
  if (child == 0) {
    execl(program, program, "plain", (char*)NULL);
    _exit(1);
  }
  wait_for(child);
}

// --- threads -------------------------------------------------------------------------------------

static void* exits(void* argument) {
  (void)argument;
  exit(7);
}

// Status 7.
static void exit_in_thread(const char* argument) {
  (void)argument;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, exits, NULL) == 0);
  for (;;) pause();
}

static pthread_t main_thread;
static void* outlives_main(void* argument) {
  (void)argument;
  pthread_join(main_thread, NULL);
  return NULL;
}

static void end_main_first(const char* argument) {
  (void)argument;
  pthread_t thread;
  main_thread = pthread_self();
  CHECK(pthread_create(&thread, NULL, outlives_main, NULL) == 0);
  pthread_exit(NULL);
}

// --- limits and sandboxes ------------------------------------------------------------------------

static void limit_to_zero(int resource) {
  const struct rlimit none = {0, 0};
  CHECK(setrlimit(resource, &none) == 0);
}

static void no_file_size(const char* argument) {
  (void)argument;
  limit_to_zero(RLIMIT_FSIZE);
}

static void no_descriptors(const char* argument) {
  (void)argument;
  limit_to_zero(RLIMIT_NOFILE);
}

// Kills for each of these: what opens, duplicates, connects, maps, starts or steers processes.
static void sandbox(const char* argument) {
  (void)argument;
  static const unsigned refused[] = {
#ifdef SYS_open
      SYS_open,       SYS_dup2,    SYS_fork,
#endif
      SYS_openat,     SYS_openat2, SYS_dup,
      SYS_dup3,       SYS_fcntl,   SYS_close,
      SYS_socket,     SYS_connect, SYS_sendto,
      SYS_mmap,       SYS_munmap,  SYS_mprotect,
      SYS_clone,      SYS_clone3,  SYS_execve,
      SYS_prctl,      SYS_seccomp, SYS_ioctl,
      SYS_kill,       SYS_tgkill,  SYS_rt_sigtimedwait,
      SYS_futex,      SYS_read,    SYS_lseek,
      SYS_membarrier,
  };
  enum { kCount = sizeof refused / sizeof refused[0] };
  struct sock_filter filter[kCount + 3];
  size_t at = 0;
  filter[at++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < kCount; i++)
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i],
                                                (unsigned char)(kCount - i), 0);
  filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const struct sock_fprog program = {(unsigned short)at, filter};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    skip_test("no seccomp filters here\n");
}

// read, write, exit and sigreturn are left.
static void strict_sandbox(const char* argument) {
  (void)argument;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) skip_test("no strict seccomp here\n");
  syscall(SYS_exit, 0);
}

// --- misuse --------------------------------------------------------------------------------------

// With on_misuse:report: each of these is a line on standard error.
static void free_twice(const char* argument) {
  const int times = argument != NULL ? atoi(argument) : 3;
  void* volatile block = malloc(20000);
  free(block);
  for (int i = 0; i < times; i++) free(block);
}

static void limited_free_twice(const char* argument) {
  no_file_size(argument);
  free_twice("3");
}

static const struct {
  const char* name;
  void (*run)(const char*);
} situations[] = {
#define S(name) \
  { #name, name }
    S(plain),           S(exit_status),    S(close_from),         S(close_everything),
    S(close_range_all), S(close_at_exit),  S(reopen_at_exit),     S(close_standard),
    S(become_daemon),   S(fork_twice),     S(clone_daemon),       S(close_and_live),
    S(fork_child),      S(fork_bare),      S(fork_and_end_first), S(vfork_and_exec),
    S(exit_in_thread),  S(end_main_first), S(no_file_size),       S(no_descriptors),
    S(sandbox),         S(strict_sandbox), S(free_twice),         S(limited_free_twice),
#undef S
};

int main(int count, char** arguments) {
  free(malloc(100000));
  for (size_t i = 0; count > 1 && i < sizeof situations / sizeof situations[0]; i++)
    if (strcmp(arguments[1], situations[i].name) == 0) {
      situations[i].run(count > 2 ? arguments[2] : NULL);
      return 0;
    }
  check_failed("no such situation\n");
}
