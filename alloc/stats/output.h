// Gathers the lines of a report and writes them in large pieces.
#pragma once

#include "alloc/base/line.h"
#include "alloc/os/os.h"

namespace spillway::stats {

class Output {
 public:
  using Text = Line<4096>;

  // `text` is room to work in; 4 KiB, too much for a caller's stack.
  Output(int descriptor, Text& text) : descriptor_(descriptor), text_(text) { text_.clear(); }
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
  static constexpr size_t kFlushAt = 3500;  // leaves room for the longest line

  void flush() {
    good_ = good_ && os::write_text(descriptor_, text_.view(), patience_);
    text_.clear();
  }

  int descriptor_;
  bool good_ = true;
  os::Patience patience_;
  Text& text_;
};

}  // namespace spillway::stats
