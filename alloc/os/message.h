// SPDX-License-Identifier: MIT
// A message to the user: one line on stderr that starts with "spillway: ". Does not allocate.
#pragma once

#include "alloc/base/line.h"
#include "alloc/os/os.h"

namespace spillway::os {

class Message {
 public:
  Message() { line_.text("spillway: "); }
  Line<500>& line() { return line_; }
  // One write, so that lines of several threads do not mix.
  void send() {
    line_.end();
    write_text(kStandardError, line_.view());
  }

 private:
  Line<500> line_;
};

}  // namespace spillway::os
