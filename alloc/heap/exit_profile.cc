// SPDX-License-Identifier: MIT
#include "alloc/heap/exit_profile.h"

#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/start.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

constinit uint32_t process_at_start = 0;
constinit bool had_stderr = false;
constinit os::FileIdentity stderr_at_start;

// A program may have closed it, and opened a file of its own in its place.
bool is_stderr_the_same() {
  os::FileIdentity current;
  return had_stderr && os::identify(os::kStandardError, current) && current == stderr_at_start;
}

// The option's text has at most 1024 characters, of which each second pair may be a number.
using Path = Line<6000>;

// The process id for each %p; whether there is one.
bool expand(std::string_view pattern, uint32_t process, Path& path) {
  bool is_own = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size() && pattern[i + 1] == 'p') {
      path.number(process);
      is_own = true;
      ++i;
    } else {
      path.put(pattern[i]);
    }
  }
  return is_own;
}

}  // namespace

void prepare_exit_profile() {
  if (!options().text(config::Option::profile_file).empty()) {
    process_at_start = os::process_id();
    had_stderr = os::identify(os::kStandardError, stderr_at_start);
  }
}

void write_profile_at_exit() {
  const std::string_view pattern = options().text(config::Option::profile_file);
  if (pattern.empty() || !heap_profile.exists()) {
    return;
  }
  const uint32_t process = os::process_id();
  Path path;
  if (!expand(pattern, process, path) && process != process_at_start) {
    return;
  }
  const int descriptor = os::open_for_writing(path.c_str());
  bool written = false;
  if (descriptor >= 0) {
    profile::DescriptorSink sink(descriptor);
    written = write_profile(sink.sink());
    os::close_descriptor(descriptor);
  }
  if (!written && is_stderr_the_same()) {
    os::Message message;
    message.line().text("option profile_file: cannot write ").quoted(path.view());
    message.send();
  }
}

}  // namespace spillway::heap
