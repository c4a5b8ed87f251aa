// SPDX-License-Identifier: MIT
// The hidden thread, see os.h. Flags and order of the clone are pthread_create()'s, which filters
// of system calls let through; what differs is that the C library is not told.
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "alloc/base/attributes.h"
#include "alloc/base/text.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"
#include "alloc/os/read_file.h"
#include "alloc/os/system_call.h"

namespace spillway::os {
namespace {

// The deepest body, a purge step that reports a late double free, takes some 6 KiB.
constexpr size_t kStackBytes = 16 * 1024;
SPILLWAY_OWN_PAGES constinit std::byte stack[kStackBytes];

// What the thread pointer points to: the C library's own thread-local data lies around it in other
// threads. Debuggers read some of it; the thread itself has no business there.
struct alignas(64) ThreadPointerArea {
  std::byte below[2048];
  void* self;
  void* none;
  void* self_again;
  std::byte above[4096];
};
SPILLWAY_OWN_PAGES constinit ThreadPointerArea thread_pointer_area{};

// Not 0 while the thread is there. The kernel clears it when the stack is no longer in use.
constinit std::atomic<int> stack_in_use{0};
// The thread's id, which the kernel writes before it runs. A thread that has left its stack is one
// of the process's threads for a moment more.
constinit std::atomic<int> hidden_id{0};
// The process that may have a hidden thread. Not the one that runs this: a child of vfork().
constinit std::atomic<uint32_t> owner{0};

// As the process began; constant from then on.
struct Beginning {
  cpu_set_t processors;
  size_t processors_bytes;  // 0: unknown
  long nice;                // as the kernel counts: 20 less the nice value
  int policy;
  bool privileged;
  // From a thread's pointer to the word that the kernel clears at its end; 0: unknown.
  ptrdiff_t end_word_offset;
};
constinit Beginning beginning{};
// Of the hidden thread, which its start hands them to.
using Body = void (*)();
constinit Body thread_body = nullptr;
constinit bool thread_reads_files = false;
constinit bool has_own_descriptors = false;

constinit std::atomic<const std::atomic<int>*> first_thread_word{nullptr};

std::byte* thread_pointer() {
#if defined(__x86_64__)
  std::byte* pointer;
  __asm__("mov %%fs:0, %0" : "=r"(pointer));
  return pointer;
#else
  return static_cast<std::byte*>(__builtin_thread_pointer());
#endif
}

std::byte* hidden_pointer() { return reinterpret_cast<std::byte*>(&thread_pointer_area.self); }

bool has_capabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  return system_call(SYS_capget, &header, data) == 0 &&
         (data[0].permitted | data[1].permitted) != 0;
}

// musl's word is a lock that all threads share.
ptrdiff_t find_end_word() {
#ifdef __GLIBC__
  std::byte* word = nullptr;
  return system_call(SYS_prctl, PR_GET_TID_ADDRESS, &word) == 0 && word != nullptr
             ? word - thread_pointer()
             : 0;
#else
  return 0;
#endif
}

void watch_first_thread() {
  const auto* word =
      reinterpret_cast<const std::atomic<int>*>(thread_pointer() + beginning.end_word_offset);
  // relaxed: set before a hidden thread starts, whose clone orders it.
  first_thread_word.store(beginning.end_word_offset != 0 ? word : nullptr,
                          std::memory_order_relaxed);
}

bool first_thread_has_ended() {
  const auto* word = first_thread_word.load(std::memory_order_relaxed);
  // relaxed: the kernel's write, which orders nothing for us.
  return word != nullptr && word->load(std::memory_order_relaxed) == 0;
}

// The lines of a status file that say what its thread may do, in `buffer`.
std::string_view rights_in(const char* path, char* buffer, size_t size) {
  constexpr std::string_view kNames[] = {"Uid",    "Gid",     "Groups",    "CapPrm",
                                         "CapEff", "Seccomp", "NoNewPrivs"};
  std::string_view text = read_file(path, buffer, size);
  size_t length = 0;
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    std::string_view rest = line;
    const std::string_view name = take_until(rest, ':');
    for (const std::string_view wanted : kNames) {
      if (name == wanted) {
        std::memmove(buffer + length, line.data(), line.size());  // never past what is read
        length += line.size();
      }
    }
  }
  return {buffer, length};
}

// An empty table of descriptors of the thread's own: a file that it opened in the program's would
// take the number that the program expects for its next one. Linux 5.9.
void leave_descriptors() {
  constexpr unsigned kUnshare = 2;  // CLOSE_RANGE_UNSHARE: nothing is copied, nothing kept open
  has_own_descriptors = system_call(SYS_close_range, 0U, ~0U, kUnshare) == 0;
}

bool rights_differ() {
  if (!has_own_descriptors) {
    return true;  // can't be compared unnoticed: rather no thread than one with too many rights
  }
  SPILLWAY_OWN_PAGES static constinit char of_process[4096];  // for the one hidden thread
  SPILLWAY_OWN_PAGES static constinit char of_this[4096];
  const std::string_view process = rights_in("/proc/self/status", of_process, sizeof of_process);
  return process.empty() ||
         process != rights_in("/proc/thread-self/status", of_this, sizeof of_this);
}

// The status that the process's first thread ended with. Since Linux 5.19 the last thread's is the
// process's, and this may be the last. 0 when it can't be read.
int status_of_first_thread() {
  if (!has_own_descriptors) {
    leave_descriptors();
  }
  char buffer[1024];
  const std::string_view text = read_file("/proc/self/stat", buffer, sizeof buffer);
  int wait_status = 0;  // the last number of the line, as wait() has it
  for (const char c : text) {
    if (c == ' ') {
      wait_status = 0;
    } else if (c >= '0' && c <= '9') {
      wait_status = wait_status * 10 + (c - '0');
    }
  }
  return wait_status >> 8 & 0xff;
}

// What the thread inherited from the one that happened to start it gives way to what the process
// began with. Refusals are ignored.
void become_ordinary() {
  constexpr int kResetOnFork = 0x40000000;
  const int began = beginning.policy & ~kResetOnFork;
  const bool real_time = began == SCHED_FIFO || began == SCHED_RR || began == 6;  // 6: deadline
  const sched_param none = {};
  system_call(SYS_sched_setscheduler, 0, real_time ? SCHED_OTHER : began, &none);
  if (beginning.processors_bytes != 0) {
    system_call(SYS_sched_setaffinity, 0, beginning.processors_bytes, &beginning.processors);
  }
  if (system_call(SYS_getpriority, PRIO_PROCESS, 0) != beginning.nice) {
    system_call(SYS_setpriority, PRIO_PROCESS, 0, 20 - beginning.nice);
  }
  system_call(SYS_prctl, PR_SET_NAME, "spillway");
}

int enter(void* /*nothing*/) {
  become_ordinary();
  has_own_descriptors = false;
  if (beginning.privileged || thread_reads_files) {
    leave_descriptors();
  }
  thread_body();
  return first_thread_has_ended() ? status_of_first_thread() : 0;  // and clone() ends the thread
}

}  // namespace

uintptr_t this_thread() { return reinterpret_cast<uintptr_t>(thread_pointer()); }

void note_process_start() {
  if (system_call(SYS_gettid) != system_call(SYS_getpid)) {
    return;
  }
  const long bytes =
      system_call(SYS_sched_getaffinity, 0, sizeof beginning.processors, &beginning.processors);
  beginning.processors_bytes = bytes > 0 ? static_cast<size_t>(bytes) : 0;
  beginning.nice = system_call(SYS_getpriority, PRIO_PROCESS, 0);
  beginning.policy = static_cast<int>(system_call(SYS_sched_getscheduler, 0));
  beginning.privileged = system_call(SYS_geteuid) == 0 || has_capabilities();
  beginning.end_word_offset = find_end_word();
  watch_first_thread();
  // release: pairs with the acquire in in_own_process(); the rest is written.
  owner.store(process_id(), std::memory_order_release);
}

bool in_own_process() {
  // acquire: pairs with the release in note_process_start().
  return owner.load(std::memory_order_acquire) == process_id();
}

bool start_hidden_thread(void (*body)(), bool reads_files) {
  if (!in_own_process() || first_thread_has_ended()) {
    return false;
  }
  int none = 0;
  // acquire: with the kernel's clearing; the stack is free. One thread goes on.
  if (!stack_in_use.compare_exchange_strong(none, 1, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
    return false;
  }
  thread_body = body;
  thread_reads_files = reads_files;
  thread_pointer_area.self = &thread_pointer_area.self;
  thread_pointer_area.self_again = &thread_pointer_area.self;
  const uint64_t all = ~uint64_t{0};
  uint64_t before = 0;
  system_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  const ErrnoKeeper keeper;
  auto* id = reinterpret_cast<int*>(&hidden_id);
  auto* cleared = reinterpret_cast<int*>(&stack_in_use);
  const int cloned =
      clone(enter, stack + kStackBytes,
            CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD |
                CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
            nullptr, id, &thread_pointer_area.self, cleared);
  if (cloned < 0) {
    // release: pairs with the acquire above.
    stack_in_use.store(0, std::memory_order_release);
  }
  system_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof all);
  return cloned >= 0;
}

bool hidden_thread_must_end() {
  return first_thread_has_ended() || (beginning.privileged && rights_differ());
}

bool on_hidden_thread() { return thread_pointer() == hidden_pointer(); }

bool hide_descriptors() {
  if (!on_hidden_thread()) {
    return false;
  }
  if (!has_own_descriptors) {
    leave_descriptors();
  }
  return has_own_descriptors;
}

bool has_hidden_thread() {
  // acquire: pairs with the kernel's clearing, before which it wrote the id.
  if (stack_in_use.load(std::memory_order_acquire) != 0) {
    return true;
  }
  // relaxed: a momentary answer.
  const int id = hidden_id.load(std::memory_order_relaxed);
  return id != 0 && system_call(SYS_tgkill, process_id(), id, 0) == 0;
}

void forget_hidden_thread() {
  // relaxed, all: the only thread there is.
  stack_in_use.store(0, std::memory_order_relaxed);
  hidden_id.store(0, std::memory_order_relaxed);
  if (owner.load(std::memory_order_relaxed) != 0) {
    owner.store(process_id(), std::memory_order_relaxed);
    watch_first_thread();
  }
}

}  // namespace spillway::os
