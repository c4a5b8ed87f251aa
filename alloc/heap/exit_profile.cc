// SPDX-License-Identifier: MIT
#include "alloc/heap/exit_profile.h"

#include <string_view>

#include "alloc/base/line.h"
#include "alloc/heap/exit_file.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/state.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

// The option's text has at most 1024 characters, of which each second pair may be a number.
using Path = Line<6000>;

}  // namespace

void prepare_exit_profile() {
  if (!options().text(config::Option::profile_file).empty()) {
    note_process_for_exit();
  }
}

void write_profile_at_exit() {
  const std::string_view pattern = options().text(config::Option::profile_file);
  if (pattern.empty() || !heap_profile.exists() || !may_write_at_exit(pattern)) {
    return;
  }
  Path path;
  put_path(pattern, path);
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
