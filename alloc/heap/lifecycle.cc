// SPDX-License-Identifier: MIT
#include "alloc/heap/lifecycle.h"

#include <pthread.h>
#include <unistd.h>

#include "alloc/heap/background.h"
#include "alloc/heap/control.h"
#include "alloc/heap/exit_file.h"
#include "alloc/heap/exit_profile.h"
#include "alloc/heap/exit_report.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/maintenance.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/start.h"
#include "alloc/heap/state.h"
#include "alloc/heap/stats_file.h"
#include "alloc/heap/tenants.h"
#include "alloc/heap/thread_end.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/fork_gate.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

void before_fork() {
  pause_scavenging();
  mimalloc::fork_prepare();
}

void after_fork_in_parent() {
  mimalloc::fork_parent();
  resume_scavenging();
}

void after_fork_in_child() {
  note_fork_for_exit();
  restart_stats_interval_after_fork();
  forget_control_after_fork();
  admit_user();
  mimalloc::fork_child();
  recover_start_after_fork();
  recover_limits_after_fork();
  recover_pressure_after_fork();
  recover_tenants_after_fork();
  recover_profile_after_fork();
  if (is_pooling()) {
    heap.engine.recover_after_fork(thread_state, scavenger.turns().runs_here());
  }
  forget_background_after_fork();
  restart_maintenance_after_fork();
}

}  // namespace

void on_process_start(char** environment) {
  // The C library's own constructor, which would set it, may come later; the value is the same.
  if (environ == nullptr) {
    environ = environment;
  }
  if (mimalloc::has_other_heap()) {
    // A sanitizer may have to start yet: nothing of the C library's.
    ensure_started();
    if (options().flag(config::Option::verbose)) {
      os::Message message;
      message.line().text("the heap of a sanitizer or of Valgrind serves this program");
      message.send();
    }
    return;
  }
  os::note_process_start();
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  mimalloc::on_double_free([](const void* block) { report_mimalloc_freed(Misuse::kFree, block); });
  ensure_started();
  admit_user();
  prepare_exit_report();
  start_stats_interval();
  prepare_exit_profile();
  prepare_thread_ends();
  notice_thread_end();
}

void on_process_end() {
  report_at_exit();
  write_profile_at_exit();
}

}  // namespace spillway::heap
