// SPDX-License-Identifier: MIT
// Free memory goes back when the kernel reports that programs wait for memory, and not before. The
// kernel's file is one of ours here, which takes a mount namespace of our own. For a
// SPILLWAY_PURGE_DELAY beyond all that is waited for here.
#include <sched.h>
#include <sys/mount.h>

#include "family.h"
#include "process.h"

enum { kBlocks = 64 };

static const size_t kMiB = (size_t)1 << 20;
static char report[] = "/tmp/spillway_pressure_XXXXXX";

static int report_file;

// Both texts are of one length: a reader finds one or the other.
static void say_pressure(const char* text) {
  CHECK(pwrite(report_file, text, strlen(text), 0) == (ssize_t)strlen(text));
}

static int is_ours_to_report(void) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         // No control group's own file.
         mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0 &&
         mount(report, "/proc/pressure/memory", NULL, MS_BIND, NULL) == 0;
}

int main(void) {
  report_file = mkstemp(report);
  CHECK(report_file >= 0);
  say_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=00001000\n");
  const int ours = is_ours_to_report();
  unlink(report);
  if (!ours) SKIP("no mounts here, or no /proc/pressure");
  static char* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kMiB);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kMiB, (uint64_t)i);
  }
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  usleep(1000000);
  CHECK_COMPARE(resident_bytes(), >=, kBlocks / 2 * kMiB);
  say_pressure("some avg10=9.99 avg60=9.99 avg300=9.99 total=99001000\n");
  WAIT_UNTIL(resident_bytes() <= kBlocks / 4 * kMiB);
  return 0;
}
