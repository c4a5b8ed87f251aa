// SPDX-License-Identifier: MIT
// The process's side of the control page: takes requests from it, puts answers on it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/control/page.h"

namespace spillway::control {

class Mailbox {
 public:
  explicit constexpr Mailbox(Page& page) : page_(page) {}

  // A request that was not taken yet, as a copy: printable ASCII, at most Page::kMaxRequest
  // characters. Nothing when there is none, and while one is half written; what can never become
  // one, such as a text that is too long, is taken and answered as an error.
  bool take(std::string_view& request);

  // The answer to the request that was taken last. `text` has to stay where it is until the next
  // answer, unless it is an error, of which a line is copied.
  void answer(std::string_view text);
  void refuse(std::string_view line);

  // The same for a snapshot: begin_snapshot() before its text is written, which is to be another
  // one than the last's.
  void begin_snapshot();
  void publish_snapshot(std::string_view text, uint64_t watch, uint64_t taken_ns);
  // Before the memory of answer and snapshots goes: there are none from here on.
  void withdraw();

 private:
  void publish(std::string_view text, bool is_error);

  Page& page_;
  uint64_t taken_id_ = 0;
  char copy_[Page::kMaxRequest] = {};
};

}  // namespace spillway::control
