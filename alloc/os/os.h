// Everything the allocator asks of the operating system. Nothing here allocates, takes a lock or
// changes errno. linux_memory.cc and linux_process.cc hold the engine's system calls; tests link a
// stand-in for the first that fails on demand (test/os/faulty_memory.h).
#pragma once

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

// Bytes of memory in the machine.
uint64_t physical_memory();

// Address space that this process may still map: RLIMIT_AS less what it has; UINT64_MAX without a
// limit.
uint64_t address_space_left();

// --- process (linux_process.cc)
// --------------------------------------------------------------------

// 64 unpredictable bits; the address of a local when the kernel has none to give yet.
uint64_t random_bits();

// The environment as the C library holds it, null before the C library has set it up.
char** environment();

// True when the program runs with rights its user does not have (AT_SECURE): the environment is not
// to be believed then.
bool is_privileged();

uint32_t process_id();

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
