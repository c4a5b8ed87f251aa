// SPDX-License-Identifier: MIT
// Room for a report to work in: 8 KiB, too much for the stack of a thread that calls malloc. One at
// a time costs nothing; a second one at the same moment is mapped. Takes no lock.
#pragma once

#include "alloc/stats/output.h"
#include "alloc/stats/statistics.h"

namespace spillway::heap {

class ReportSpace {
 public:
  ReportSpace();
  ~ReportSpace();
  ReportSpace(const ReportSpace&) = delete;
  ReportSpace& operator=(const ReportSpace&) = delete;

  // False when the kernel has no memory to give.
  explicit operator bool() const { return room_ != nullptr; }
  stats::Snapshot& snapshot() { return room_->snapshot; }
  stats::Output::Text& text() { return room_->text; }

 private:
  struct Room {
    stats::Snapshot snapshot;
    stats::Output::Text text;
  };
  struct Shared;

  Room* room_;
};

}  // namespace spillway::heap
