// Everything the allocator asks of the operating system. Nothing here allocates, takes a lock or
// changes errno. linux_memory.cc and linux_process.cc hold the engine's system calls; tests link a
// stand-in for the first that fails on demand (test/os/faulty_memory.h).
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
// Null when the kernel refuses.
void* reserve(size_t bytes, Access access, void* hint);
void release(void* start, size_t bytes);

// Makes a page-aligned part of a reservation readable and writable; repeating it is harmless.
// False when the kernel refuses (commit limit, out of mappings): nothing has changed then.
[[nodiscard]] bool commit(void* start, size_t bytes);

// Gives the memory of committed whole pages back to the kernel: they stay committed and read as
// zero, locked ones (mlockall) included where the kernel can. False when it refuses: the contents
// are unknown then.
[[nodiscard]] bool purge(void* start, size_t bytes);

// Asks the kernel for huge pages in a part of a reservation, or for none. Only a wish.
void prefer_huge_pages(void* start, size_t bytes, bool huge);

// Bytes of memory in the machine.
uint64_t physical_memory();

// Bytes of memory that the process has resident; some microseconds. 0 when unknown.
uint64_t resident_bytes();

// Address space that this process may still map: RLIMIT_AS less what it has; UINT64_MAX without a
// limit.
uint64_t address_space_left();

// --- process (linux_process.cc)
// --------------------------------------------------------------------

// 64 unpredictable bits; the address of a local when the kernel has none to give yet.
uint64_t random_bits();

// Processors that the process may run on, as it was when first asked; at least 1.
uint32_t processors();

// Lets other threads run.
void yield();

// A full memory barrier in every running thread of the process (membarrier(2)); some microseconds.
// False when the kernel has none to offer.
bool barrier_in_all_threads();

// Starts `body` in a detached thread of this name with a small stack, which takes no signals. False
// when the system has no thread to give.
[[nodiscard]] bool start_thread(void* (*body)(void*), const char* name);

// Sleeps while `word` holds `expected`, until somebody wakes it or, if that is not 0, so many
// milliseconds have passed; may return early.
void sleep_while(const std::atomic<uint32_t>& word, uint32_t expected, uint32_t milliseconds);
void wake_all(const std::atomic<uint32_t>& word);

// A clock that never goes back. Some 25 ns.
uint64_t monotonic_ns();

// The environment as the C library holds it, null before the C library has set it up.
char** environment();

// True when the program runs with rights its user does not have (AT_SECURE): the environment is not
// to be believed then.
bool is_privileged();

uint32_t process_id();

// The least memory limit of the control groups, version 1 or 2, that `membership`
// (/proc/self/cgroup) names below `root` (/sys/fs/cgroup); UINT64_MAX without a limit.
uint64_t cgroup_memory_limit(const char* membership, const char* root);

// Microseconds that programs waited for memory so far, one at least at a time: of the control group
// of version 2 that `membership` names below `root`, or else of the machine (`machine`,
// /proc/pressure/memory); UINT64_MAX where the kernel does not say.
uint64_t memory_stall_us(const char* membership, const char* root, const char* machine);

// Writes all of `text`, retrying short writes; errors are ignored, there is nobody to tell.
void write_text(int descriptor, std::string_view text);

inline constexpr int kStandardError = 2;

// Opens `path` for writing, created or emptied; -1 when that fails.
int open_for_writing(const char* path);
void close_descriptor(int descriptor);
// A second descriptor for the same file, out of the way of the program's; -1 when there is none.
int duplicate_descriptor(int descriptor);

[[noreturn]] void abort_process();

}  // namespace spillway::os
