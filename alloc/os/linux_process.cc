// The process part of os.h.
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::os {

uint64_t random_bits() {
  const ErrnoKeeper keeper;
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits) {
    bits = reinterpret_cast<uintptr_t>(&bits) * 0x9e3779b97f4a7c15U;  // golden ratio: spreads it
  }
  return bits;
}

char** environment() { return environ; }

bool is_privileged() { return getauxval(AT_SECURE) != 0; }

uint32_t process_id() { return static_cast<uint32_t>(getpid()); }

void write_text(int descriptor, std::string_view text) {
  const ErrnoKeeper keeper;
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

int open_for_writing(const char* path) {
  const ErrnoKeeper keeper;
  return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

void close_descriptor(int descriptor) {
  const ErrnoKeeper keeper;
  close(descriptor);
}

int duplicate_descriptor(int descriptor) {
  constexpr int kOutOfTheWay = 200;
  const ErrnoKeeper keeper;
  return fcntl(descriptor, F_DUPFD_CLOEXEC, kOutOfTheWay);
}

void abort_process() { abort(); }

}  // namespace spillway::os
