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

// The number that a text begins with; UINT64_MAX when there is none or it is too large.
uint64_t number_in(std::string_view text) {
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

// The number that a limit file holds; "max" and what is unreadable are no limit.
uint64_t limit_in(const char* path) {
  char buffer[32];
  return number_in(read_file(path, buffer, sizeof buffer));
}

// Of a file of pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
uint64_t stall_in(const char* path) {
  char buffer[256];
  std::string_view lines = read_file(path, buffer, sizeof buffer);
  std::string_view words = take_until(lines, '\n');
  if (take_until(words, ' ') != "some") {
    return UINT64_MAX;
  }
  while (!words.empty()) {
    std::string_view value = take_until(words, ' ');
    if (take_until(value, '=') == "total") {
      return number_in(value);
    }
  }
  return UINT64_MAX;
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

bool is_version_2(std::string_view hierarchy, std::string_view controllers) {
  return hierarchy == "0" && controllers.empty();
}

// Calls `action(hierarchy, controllers, group)` for each line of a membership file.
template <typename Action>
void for_each_group(const char* membership, Action action) {
  char buffer[4096];
  std::string_view lines = read_file(membership, buffer, sizeof buffer);
  while (!lines.empty()) {
    std::string_view group = take_until(lines, '\n');
    const std::string_view hierarchy = take_until(group, ':');
    const std::string_view controllers = take_until(group, ':');
    action(hierarchy, controllers, group);
  }
}

}  // namespace

uint64_t cgroup_memory_limit(const char* membership, const char* root) {
  const ErrnoKeeper keeper;
  uint64_t least = UINT64_MAX;
  for_each_group(membership, [&](std::string_view hierarchy, std::string_view controllers,
                                 std::string_view group) {
    if (is_version_2(hierarchy, controllers)) {
      least = std::min(least, limit_of(root, group, "memory.max"));
    } else if (names_memory(controllers)) {
      Path memory;
      memory.text(root).text("/memory");
      least = std::min(least, limit_of(memory.view(), group, "memory.limit_in_bytes"));
    }
  });
  return least;
}

uint64_t memory_stall_us(const char* membership, const char* root, const char* machine) {
  const ErrnoKeeper keeper;
  uint64_t stall_us = UINT64_MAX;
  for_each_group(membership, [&](std::string_view hierarchy, std::string_view controllers,
                                 std::string_view group) {
    if (is_version_2(hierarchy, controllers)) {
      Path path;
      path.text(root).text(group).text("/memory.pressure");
      stall_us = stall_in(path.c_str());
    }
  });
  return stall_us != UINT64_MAX ? stall_us : stall_in(machine);
}

}  // namespace spillway::os
