// SPDX-License-Identifier: MIT
// The control groups' part of os.h.
#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "alloc/base/text.h"
#include "alloc/os/os.h"
#include "alloc/os/read_file.h"

namespace spillway::os {
namespace {

// A path of these pieces; one that is too long is cut, and names no file.
const char* join(CgroupScratch& scratch, std::initializer_list<std::string_view> pieces) {
  size_t length = 0;
  for (const std::string_view piece : pieces) {
    const size_t fits = std::min(piece.size(), sizeof scratch.path - 1 - length);
    std::copy_n(piece.data(), fits, scratch.path + length);
    length += fits;
  }
  scratch.path[length] = '\0';
  return scratch.path;
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

// The least limit of a group and those that it is in. `hierarchy`: a folder below the root, or
// none.
uint64_t limit_of(CgroupScratch& scratch, std::string_view root, std::string_view hierarchy,
                  std::string_view group, std::string_view file) {
  uint64_t lowest = UINT64_MAX;
  for (;;) {
    lowest = std::min(lowest, limit_in(join(scratch, {root, hierarchy, group, "/", file})));
    const size_t slash = group.rfind('/');
    if (slash == std::string_view::npos) {
      return lowest;
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
void for_each_group(CgroupScratch& scratch, const char* membership, Action action) {
  std::string_view lines = read_file(membership, scratch.membership, sizeof scratch.membership);
  while (!lines.empty()) {
    std::string_view group = take_until(lines, '\n');
    const std::string_view hierarchy = take_until(group, ':');
    const std::string_view controllers = take_until(group, ':');
    action(hierarchy, controllers, group);
  }
}

}  // namespace

uint64_t cgroup_memory_limit(const char* membership, const char* root, CgroupScratch& scratch) {
  uint64_t lowest = UINT64_MAX;
  for_each_group(
      scratch, membership,
      [&](std::string_view hierarchy, std::string_view controllers, std::string_view group) {
        if (is_version_2(hierarchy, controllers)) {
          lowest = std::min(lowest, limit_of(scratch, root, "", group, "memory.max"));
        } else if (names_memory(controllers)) {
          lowest =
              std::min(lowest, limit_of(scratch, root, "/memory", group, "memory.limit_in_bytes"));
        }
      });
  return lowest;
}

uint64_t memory_stall_us(const char* membership, const char* root, const char* machine,
                         CgroupScratch& scratch) {
  uint64_t stall_us = UINT64_MAX;
  for_each_group(
      scratch, membership,
      [&](std::string_view hierarchy, std::string_view controllers, std::string_view group) {
        if (is_version_2(hierarchy, controllers)) {
          stall_us = stall_in(join(scratch, {root, group, "/memory.pressure"}));
        }
      });
  return stall_us != UINT64_MAX ? stall_us : stall_in(machine);
}

}  // namespace spillway::os
