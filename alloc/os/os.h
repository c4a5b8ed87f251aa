// SPDX-License-Identifier: MIT
// Everything the allocator asks of the operating system. Nothing here allocates, takes a lock,
// changes errno or is a cancellation point; all of it may be called by the hidden thread. Tests
// link a stand-in for linux_memory.cc that fails on demand (test/os/faulty_memory.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::os {

// --- memory (linux_memory.cc) --------------------------------------------------------------------

enum class Access : uint8_t {
  kNone,      // address space only
  kRead,      // reads as zero, costs no memory and no commit charge
  kReadWrite  // zero-filled on first touch
};

size_t page_size();

// Reserves `bytes` of private, zero address space near `hint` (a wish; may be null).
// Null when the kernel refuses. What can't be written to is left out of core dumps.
void* reserve(size_t bytes, Access access, void* hint);
void release(void* start, size_t bytes);
// The same for a part of a reservation whose rest stays.
void release_part(void* start, size_t bytes);

// What reserve() mapped in this process and release() did not take back.
struct Mapped {
  uint64_t bytes = 0;
  uint64_t mappings = 0;  // the kernel may count one as several, with rights of their own
};
Mapped mapped();

// Makes a page-aligned part of a reservation readable and writable, and a part of core dumps;
// repeating it is harmless.
// False when the kernel refuses (commit limit, out of mappings): nothing has changed then.
[[nodiscard]] bool commit(void* start, size_t bytes);

// Gives the memory of committed whole pages back to the kernel: they stay committed and read as
// zero, locked ones (mlockall) included where the kernel can. False when it refuses: the contents
// are unknown then.
[[nodiscard]] bool purge(void* start, size_t bytes);

// Makes committed whole pages inaccessible and gives their memory back; repeating it is harmless.
// Linux 6.13 and newer have a mark for such pages, but not in locked memory; otherwise the mapping
// is split, and some thousand parts are the most. False when that is not to be had: the pages are
// accessible, and what they hold is unknown.
[[nodiscard]] bool deny(void* start, size_t bytes);
// Makes such pages accessible again; they read as zero. False when the kernel refuses.
[[nodiscard]] bool allow(void* start, size_t bytes);

// Asks the kernel for huge pages in a part of a reservation, or for none. Only a wish.
void prefer_huge_pages(void* start, size_t bytes, bool huge);

// Bytes of memory in the machine.
uint64_t physical_memory();

// Bytes of a page-aligned part of a reservation that are resident or swapped out; 0 when unknown.
// Not for pages that deny() made inaccessible: those with a mark count, too. Opens a file of the
// kernel's for so long; a system call, some microseconds, for each 64 pages.
uint64_t resident_bytes_in(void* start, size_t bytes);

// Bytes of memory that the process has resident; some microseconds. 0 when unknown.
uint64_t resident_bytes();

// Bytes of address space that the process has mapped; some microseconds. 0 when unknown.
uint64_t mapped_bytes();

// Address space that this process may still map: RLIMIT_AS less what it has; UINT64_MAX without a
// limit.
uint64_t address_space_left();
// Memory that this process may lock without a right to do so: RLIMIT_MEMLOCK.
uint64_t lockable_bytes();

// --- process (linux_process.cc) ------------------------------------------------------------------

// 64 unpredictable bits; the address of a local when the kernel has none to give yet.
uint64_t random_bits();

// The most memory that the process ever had resident. One system call, getrusage.
uint64_t peak_resident_bytes();

// Processors that the process may run on, as it was when first asked; at least 1.
uint32_t processors();

// Lets other threads run; naps do so for 100 us and more.
void yield();
void nap();

// A full memory barrier in every running thread of the process (membarrier(2)); some microseconds.
// False when the kernel has none to offer.
bool barrier_in_all_threads();

// Sleeps while `word` holds `expected`, until a thread wakes it or, if that is not 0, so many
// milliseconds have passed; may return early.
void sleep_while(const std::atomic<uint32_t>& word, uint32_t expected, uint32_t milliseconds);
void wake_all(const std::atomic<uint32_t>& word);

// A clock that never goes back. Some 25 ns.
uint64_t monotonic_ns();
// Nanoseconds since 1970, as the machine's clock has it now.
uint64_t wall_clock_ns();

// The environment as the C library holds it, null before the C library has set it up.
char** environment();

// True when the program runs with rights its user does not have (AT_SECURE): the environment is not
// to be believed then.
bool is_privileged();

// Where the program itself begins to run: an address in its code.
uintptr_t program_entry();

uint32_t process_id();

// The last part of the path that was executed, of a script its interpreter's; at most 255 bytes of
// any kind. From the auxiliary vector: no system call, and programs don't write there.
std::string_view program_name();

// Where the kernel lets parents only debug a process (Yama), has it let those of the same user do
// so, too; elsewhere they may. A system call; not inherited.
void let_user_debug();

// The calling thread's number, as the kernel counts threads.
uint32_t thread_id();

// Whether a thread of the process waits for something and is neither running nor in the kernel's
// uninterruptible sleep. False when that can't be told. Reads a file of the kernel's.
bool is_asleep(uint32_t thread);

// Tells threads that run at the same time apart; no system call.
uintptr_t this_thread();

[[noreturn]] void abort_process();

// From now on `tell` is called, on the thread and stack of the fault, with the address of each
// access that the kernel refuses (SIGSEGV, SIGBUS); then the process ends as it would have. Not
// where the program has a handler already, or once it sets one.
void watch_faults(void (*tell)(uintptr_t address));

// --- control groups (linux_cgroup.cc) ------------------------------------------------------------

// Room to work in, the caller's: its stack may be small.
struct CgroupScratch {
  char membership[4096];
  char path[4096];
};

// The least memory limit of the control groups, version 1 or 2, that `membership`
// (/proc/self/cgroup) names below `root` (/sys/fs/cgroup); UINT64_MAX without a limit.
uint64_t cgroup_memory_limit(const char* membership, const char* root, CgroupScratch& scratch);

// Microseconds that programs waited for memory so far, one at least at a time: of the control group
// of version 2 that `membership` names below `root`, or else of the machine (`machine`,
// /proc/pressure/memory); UINT64_MAX where the kernel does not say.
uint64_t memory_stall_us(const char* membership, const char* root, const char* machine,
                         CgroupScratch& scratch);

// --- the hidden thread (linux_thread.cc) ---------------------------------------------------------
//
// A thread that the kernel knows and the C library does not, one at a time. It counts for nothing
// there: pthread_exit() of the last other thread ends the process, fork() takes the path of a
// process with one thread, and starting it takes no lock and so may happen anywhere. It has a stack
// of its own, takes no signal, and shares no thread-local data with anyone: its body may use the
// functions above, and nothing else of the C library's.

// Remembers what the process is like: processors, nice value, policy. On its first thread, before
// the program can have changed them; until then there is no hidden thread.
void note_process_start();

// False in a child of vfork(), which uses its parent's memory, and in one that was forked without
// the handlers of pthread_atfork(). A system call.
bool in_own_process();

// Runs `body`; one that reads files does so with a table of descriptors of its own. False when
// there is a hidden thread, its predecessor has not quite ended, the kernel has none to give, the
// process's first thread has ended, or the process is not its own.
[[nodiscard]] bool start_hidden_thread(void (*body)(), bool reads_files);

// For the hidden thread: from now on it has a table of descriptors of its own, as one that reads
// files. False when the kernel has none to give (before Linux 5.9), and on any other thread, where
// nothing happens; repeating it is free.
bool hide_descriptors();

// For the hidden thread: whether it has to go, because the process's first thread has ended, so
// that it could be the last one, or because that thread has rights that are other than its own, as
// after setuid(). Free of system calls in processes that began without privileges.
bool hidden_thread_must_end();
// Some nanoseconds.
bool on_hidden_thread();
// Whether the kernel counts one among the process's threads. A system call when it has none at
// work.
bool has_hidden_thread();

// In a forked child, which has no hidden thread.
void forget_hidden_thread();

// --- descriptors (linux_descriptor.cc) -----------------------------------------------------------

inline constexpr int kStandardError = 2;

// How long writes that share it may wait for a reader, together.
struct Patience {
  uint64_t left_ns = 1'000'000'000;
};

// Writes all of `text`, at most 4096 bytes at a time; false when that fails or `patience` is at its
// end. Blocking descriptors do not block either, unless another process takes the last room in a
// pipe between two system calls. No signal that the write raises (SIGPIPE, SIGXFSZ, SIGTTOU)
// reaches the program.
bool write_text(int descriptor, std::string_view text, Patience& patience);

// The same with a patience of its own. After a call that ran out of it none waits until one
// succeeds.
void write_text(int descriptor, std::string_view text);

// Opens `path` for writing, created or emptied, above the standard streams' numbers; -1 when that
// fails. Never waits: a FIFO without a reader fails.
int open_for_writing(const char* path);
void close_descriptor(int descriptor);

// Whether a file can be renamed over `path`: there is a regular file, or none. A symbolic link, a
// device or a pipe has to stay what it is.
[[nodiscard]] bool is_replaceable(const char* path);
// Renames a file over another one, or none; false: both are as they were.
[[nodiscard]] bool rename_file(const char* from, const char* to);
void remove_file(const char* path);

// Which file a descriptor stands for; no other file is equal while this one is open.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint32_t type = 0;

  bool operator==(const FileIdentity&) const = default;
};
// False when the descriptor is closed.
[[nodiscard]] bool identify(int descriptor, FileIdentity& identity);

}  // namespace spillway::os
