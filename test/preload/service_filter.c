// SPDX-License-Identifier: MIT
// A service under a filter that ends the process at system calls which systemd's group
// @system-service does not admit: it uses blocks of all sizes, grows beyond 200 MiB and gives all
// back. The names are of systemd 252.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "family.h"

enum { kBlocks = 3000, kLength = 1 << 16 };

static const int kRefused[] = {
    SYS_acct, SYS_bpf, SYS_mincore, SYS_perf_event_open, SYS_pidfd_getfd, SYS_ptrace, SYS_syslog,
};
enum { kCount = sizeof kRefused / sizeof kRefused[0] };

static void filter(void) {
  struct sock_filter code[kCount + 3] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  for (int i = 0; i < kCount; i++)
    code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)kRefused[i],
                                               (unsigned char)(kCount - i), 0);
  code[kCount + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[kCount + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  struct sock_fprog program = {kCount + 3, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP("no seccomp filter can be installed");
}

static void* allocate(void* unused) {
  static char* blocks[kBlocks];
  for (size_t i = 0; i < kBlocks; i++) {
    CHECK((blocks[i] = malloc(kLength + i)) != NULL);
    memset(blocks[i], 1, kLength + i);
  }
  for (size_t size = 16; size <= (size_t)1 << 27; size *= 2) free(malloc(size));
  for (size_t i = 0; i < kBlocks; i++) free(blocks[i]);
  return unused;
}

int main(void) {
  filter();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, allocate, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  allocate(NULL);
  malloc_trim(0);
  write_text(1, "went on\n");
  return 0;
}
