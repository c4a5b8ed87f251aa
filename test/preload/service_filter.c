// SPDX-License-Identifier: MIT
// A service under a filter that ends the process at each system call of Linux 6.1 which systemd's
// group @system-service (252) does not admit: it uses blocks of all sizes, grows beyond 200 MiB and
// gives all back.
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
    SYS_acct,
    SYS_adjtimex,
    SYS_bpf,
    SYS_chroot,
    SYS_clock_adjtime,
    SYS_clock_settime,
    SYS_delete_module,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    SYS_finit_module,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_init_module,
    SYS_kexec_file_load,
    SYS_kexec_load,
    SYS_landlock_add_rule,
    SYS_landlock_create_ruleset,
    SYS_landlock_restrict_self,
    SYS_lookup_dcookie,
    SYS_memfd_secret,
    SYS_mincore,
    SYS_mount,
    SYS_mount_setattr,
    SYS_move_mount,
    SYS_nfsservctl,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_perf_event_open,
    SYS_pidfd_getfd,
    SYS_pivot_root,
    SYS_pkey_alloc,
    SYS_pkey_free,
    SYS_pkey_mprotect,
    SYS_process_mrelease,
    SYS_ptrace,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_reboot,
    SYS_seccomp,
    SYS_setdomainname,
    SYS_sethostname,
    SYS_settimeofday,
    SYS_swapoff,
    SYS_swapon,
    SYS_syslog,
    SYS_umount2,
    SYS_vhangup,
#if __x86_64__
    SYS__sysctl,
    SYS_afs_syscall,
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_getpmsg,
    SYS_ioperm,
    SYS_iopl,
    SYS_modify_ldt,
    SYS_putpmsg,
    SYS_query_module,
    SYS_security,
    SYS_sysfs,
    SYS_tuxcall,
    SYS_uselib,
    SYS_ustat,
    SYS_vserver,
#endif
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
