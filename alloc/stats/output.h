// SPDX-License-Identifier: MIT
// Gathers the lines of a report and writes them in large pieces.
#pragma once

#include <string_view>

#include "alloc/base/line.h"
#include "alloc/os/os.h"

namespace spillway::stats {

class Output {
 public:
  using Text = Line<4096>;

  // `text` is room to work in; 4 KiB, too much for a caller's stack.
  Output(int descriptor, Text& text) : descriptor_(descriptor), text_(text) { text_.clear(); }
  // Appends to what `to` stands for instead; `append` returns false when it can't.
  using Append = bool (*)(void* to, std::string_view text);
  Output(Append append, void* to, Text& text) : append_(append), to_(to), text_(text) {
    text_.clear();
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Room for one more line.
  Text& line() {
    if (text_.view().size() > kFlushAt) {
      flush();
    }
    return text_;
  }

  // Writes the rest; false when some of the report was not written. What waits for a reader waits a
  // second in all, and after a failure nothing else is tried.
  bool finish() {
    flush();
    return good_;
  }

 private:
  // Leaves room for what a line() is given at the most: a program's name as JSON, six bytes for
  // each of 255.
  static constexpr size_t kFlushAt = 2400;

  void flush() {
    good_ = good_ && (append_ != nullptr ? append_(to_, text_.view())
                                         : os::write_text(descriptor_, text_.view(), patience_));
    text_.clear();
  }

  int descriptor_ = -1;
  Append append_ = nullptr;
  void* to_ = nullptr;
  bool good_ = true;
  os::Patience patience_;
  Text& text_;
};

}  // namespace spillway::stats
