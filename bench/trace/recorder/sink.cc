// SPDX-License-Identifier: MIT
#include "bench/trace/recorder/sink.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "bench/trace/recorder/call.h"
#include "bench/trace/recorder/lock.h"
#include "bench/trace/recorder/settings.h"

namespace bench::trace {
namespace {

enum class State { kNew, kOpen, kClosed };

// 0 is what a forked child finds.
enum Witness : std::uint32_t { kForked, kOpening, kOpened };

constexpr std::size_t kMaxUnfinished = 64;
constexpr std::size_t kPathBytes = 4096;

struct Chunk {
  RawRecord* next = nullptr;
  RawRecord* end = nullptr;
};

struct Own {
  Chunk chunk;
  std::uint32_t number = 0;
  std::uint32_t life = 0;  // the process's, when this was filled in
};

Settings g_settings;
// Release by who opens, acquire by who records: the settings are there.
std::atomic<State> g_state{State::kNew};
char g_path[kPathBytes];
std::size_t g_chunks = 0;
Chunk g_unfinished[kMaxUnfinished];  // left by threads that ended
std::size_t g_unfinished_count = 0;
pthread_key_t g_key;
bool g_key_made = false;
// A Witness in a page that is zero again in a forked child. Shared memory, as of vfork(), keeps it.
std::atomic<std::uint32_t>* g_witness = nullptr;
std::uint32_t g_life = 0;
// Relaxed: that a block's stamps are in order follows from the order of the calls themselves.
std::atomic<std::uint64_t> g_stamps{0};
std::atomic<std::uint32_t> g_threads{0};

thread_local Own t_own;

void complain(const char* what, int error) {
  char line[kPathBytes + 128];
  const int size = std::snprintf(line, sizeof line, "spillway: record: %s: %s\n", what,
                                 error == ENOSPC ? "no space left" : strerrordesc_np(error));
  (void)!write(STDERR_FILENO, line, size > 0 ? static_cast<std::size_t>(size) : 0);
}

// Maps a part of the process's file, with disk space behind it: a write can't fail later. The file
// is opened each time, for programs close descriptors that they do not know.
void* map_part(std::size_t offset, std::size_t bytes, int flags) {
  const int file = open(g_path, O_RDWR | O_CLOEXEC | flags, 0600);
  if (file < 0) {
    return nullptr;
  }
  void* part = nullptr;
  const int error = posix_fallocate(file, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  if (error == 0) {
    part =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(offset));
  }
  const int reason = error != 0 ? error : errno;
  close(file);
  errno = reason;
  return part == MAP_FAILED ? nullptr : part;
}

// FOLDER/PID.N, N the first number that is free: a process that becomes another program keeps its
// id.
bool create_file() {
  for (unsigned image = 0; image < 1000; ++image) {
    std::snprintf(g_path, sizeof g_path, "%s/%d.%u", g_settings.folder, getpid(), image);
    void* part = map_part(0, kRawHeaderBytes, O_CREAT | O_EXCL);
    if (part != nullptr) {
      auto* header = static_cast<RawHeader*>(part);
      std::memcpy(header->magic, kRawMagic, sizeof header->magic);
      header->version = kRawVersion;
      header->pid = static_cast<std::uint32_t>(getpid());
      std::strncpy(header->program, program_invocation_short_name, sizeof header->program - 1);
      munmap(part, kRawHeaderBytes);
      return true;
    }
    if (errno != EEXIST) {
      break;
    }
  }
  return false;
}

bool make_witness() {
  void* page =
      mmap(nullptr, kRawHeaderBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || madvise(page, kRawHeaderBytes, MADV_WIPEONFORK) != 0) {
    return false;
  }
  g_witness = new (page) std::atomic<std::uint32_t>(kOpening);
  return true;
}

// Whether this process has opened its file, or has seen that it has none. Acquire: pairs with the
// release at the end of open_sink(), by another thread of a forked child.
bool settled() {
  return g_witness == nullptr || g_witness->load(std::memory_order_acquire) == kOpened;
}

void unmap(const Chunk& chunk) { munmap(chunk.end - kChunkBytes / sizeof(RawRecord), kChunkBytes); }

void end_thread(void*) {
  Own& own = t_own;
  if (!settled()) {  // the parent's chunk, and perhaps the parent's lock
    own.chunk = {};
    return;
  }
  const Call quiet;
  const Lock lock;
  if (own.life == g_life && own.chunk.next != own.chunk.end) {
    if (g_unfinished_count < kMaxUnfinished) {
      g_unfinished[g_unfinished_count++] = own.chunk;
    } else {
      unmap(own.chunk);
    }
  }
  own.chunk = {};
}

// With the lock held.
void open_sink() {
  ++g_life;
  g_chunks = 0;
  g_unfinished_count = 0;
  g_stamps.store(0, std::memory_order_relaxed);
  g_threads.store(0, std::memory_order_relaxed);
  State state = State::kClosed;
  if (g_settings.wants_this_process()) {
    const bool witnessed = g_witness != nullptr || make_witness();
    g_key_made = g_key_made || pthread_key_create(&g_key, end_thread) == 0;
    if (witnessed && g_key_made && create_file()) {
      state = State::kOpen;
    } else {
      complain(g_settings.folder, errno);
    }
  }
  g_state.store(state, std::memory_order_release);
  if (g_witness != nullptr) {
    g_witness->store(kOpened, std::memory_order_release);
  }
}

void open_first() {
  const Lock lock;
  // Relaxed: ordered by the lock. Settings that can't be read: the C library is not ready yet.
  if (g_state.load(std::memory_order_relaxed) == State::kNew && g_settings.read()) {
    open_sink();
  }
}

// The first of the child's threads that comes here opens, the others wait for it.
void open_in_child() {
  std::uint32_t found = kForked;
  // Relaxed: what is claimed was written before the fork.
  if (g_witness->compare_exchange_strong(found, kOpening, std::memory_order_relaxed)) {
    // Another thread of the parent may have held the lock.
    Lock::held.store(false, std::memory_order_relaxed);
    const Lock lock;
    open_sink();
    return;
  }
  const NoCancellation uncancelled;
  while (!settled()) {
    usleep(1);
  }
}

[[gnu::noinline]] bool open_slow(State seen) {
  const int error = errno;
  if (seen == State::kNew) {
    open_first();
  } else {
    open_in_child();
  }
  errno = error;
  return g_state.load(std::memory_order_relaxed) == State::kOpen;
}

bool new_chunk(Chunk& chunk) {
  const Lock lock;
  if (g_unfinished_count > 0) {
    chunk = g_unfinished[--g_unfinished_count];
    return true;
  }
  void* part = map_part(kRawHeaderBytes + g_chunks * kChunkBytes, kChunkBytes, 0);
  if (part == nullptr) {
    complain("the recording ends here", errno);
    g_state.store(State::kClosed, std::memory_order_relaxed);
    return false;
  }
  ++g_chunks;
  chunk.next = static_cast<RawRecord*>(part);
  chunk.end = chunk.next + kChunkBytes / sizeof(RawRecord);
  return true;
}

[[gnu::noinline]] bool refill(Own& own) {
  const int error = errno;
  if (own.life != g_life) {
    own.life = g_life;
    own.number = g_threads.fetch_add(1, std::memory_order_relaxed);
    own.chunk = {};
  } else if (own.chunk.next != nullptr) {
    unmap(own.chunk);
    own.chunk = {};
  }
  const bool there = new_chunk(own.chunk);
  if (there) {
    pthread_setspecific(g_key, &own);
  }
  errno = error;
  return there;
}

}  // namespace

bool sink_is_open() {
  const State state = g_state.load(std::memory_order_acquire);
  if (state == State::kNew || !settled()) [[unlikely]] {
    return open_slow(state);
  }
  // Relaxed: settled() has ordered it. `state` may still be the parent's.
  return g_state.load(std::memory_order_relaxed) == State::kOpen;
}

std::uint64_t next_stamp() {
  const std::uint64_t stamp = g_stamps.fetch_add(1, std::memory_order_relaxed) + 1;
  if (stamp <= g_settings.skip) {
    return 0;
  }
  if (stamp - g_settings.skip > g_settings.events) {
    g_state.store(State::kClosed, std::memory_order_relaxed);
    return 0;
  }
  return stamp - g_settings.skip;
}

RawRecord* next_record() {
  Own& own = t_own;
  if (own.life != g_life || own.chunk.next == own.chunk.end) [[unlikely]] {
    if (!refill(own)) {
      return nullptr;
    }
  }
  return own.chunk.next++;
}

std::uint32_t own_number() { return t_own.number; }

}  // namespace bench::trace
