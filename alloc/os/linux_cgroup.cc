// The control groups' part of os.h.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/base/text.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::os {
namespace {

using Path = Line<4096>;

// What fits of a file; empty when it cannot be read.
std::string_view read_file(const char* path, char* buffer, size_t size) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return {};
  }
  const ssize_t length = read(descriptor, buffer, size);
  close(descriptor);
  return {buffer, length > 0 ? static_cast<size_t>(length) : 0};
}

// The number that a limit file holds; "max" and what is unreadable are no limit.
uint64_t limit_in(const char* path) {
  char buffer[32];
  const std::string_view text = read_file(path, buffer, sizeof buffer);
  uint64_t value = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(text[digits] - '0'), &value)) {
      return UINT64_MAX;
    }
  }
  return digits != 0 ? value : UINT64_MAX;
}

// The least limit of a group and those that it is in.
uint64_t limit_of(std::string_view root, std::string_view group, std::string_view file) {
  uint64_t least = UINT64_MAX;
  for (;;) {
    Path path;
    path.text(root).text(group).text("/").text(file);
    least = std::min(least, limit_in(path.c_str()));
    const size_t slash = group.rfind('/');
    if (slash == std::string_view::npos) {
      return least;
    }
    group = std::string_view(group.data(), slash);
  }
}

bool names_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    if (take_until(controllers, ',') == "memory") {
      return true;
    }
  }
  return false;
}

}  // namespace

uint64_t cgroup_memory_limit(const char* membership, const char* root) {
  const ErrnoKeeper keeper;
  char buffer[4096];
  std::string_view lines = read_file(membership, buffer, sizeof buffer);
  uint64_t least = UINT64_MAX;
  while (!lines.empty()) {
    // hierarchy:controllers:group
    std::string_view group = take_until(lines, '\n');
    const std::string_view hierarchy = take_until(group, ':');
    const std::string_view controllers = take_until(group, ':');
    if (hierarchy == "0" && controllers.empty()) {
      least = std::min(least, limit_of(root, group, "memory.max"));
    } else if (names_memory(controllers)) {
      Path memory;
      memory.text(root).text("/memory");
      least = std::min(least, limit_of(memory.view(), group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace spillway::os
