// SPDX-License-Identifier: MIT
#include "alloc/tools/stack.h"

#include <unwind.h>

#include <string_view>

#include "alloc/base/attributes.h"
#include "alloc/base/line.h"
#include "alloc/os/os.h"
#include "alloc/tools/address_sanitizer.h"

namespace spillway::tools {
namespace {

struct Walk {
  uintptr_t frames[Stack::kMaxFrames];
  size_t count;
  size_t skipped;
};

// Between the walk and the frame of interest lies capture() alone.
constexpr size_t kOwnFrames = 1;

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* argument) {
  auto& walk = *static_cast<Walk*>(argument);
  const uintptr_t address = _Unwind_GetIP(context);
  if (walk.skipped < kOwnFrames) {
    ++walk.skipped;
    return _URC_NO_REASON;
  }
  if (address == 0 || walk.count == Stack::kMaxFrames) {
    return _URC_END_OF_STACK;
  }
  walk.frames[walk.count++] = address;
  return _URC_NO_REASON;
}

}  // namespace

SPILLWAY_NOINLINE void Stack::capture() {
  Walk walk{{}, 0, 0};
  _Unwind_Backtrace(note_frame, &walk);
  thread_.set(os::thread_id());
  for (size_t i = 0; i < kMaxFrames; ++i) {
    frames_[i].set(walk.frames[i]);
  }
}

void Stack::print() const {
  size_t number = 0;
  for (size_t i = 0; i < kMaxFrames && frames_[i].get() != 0; ++i) {
    // The call, not the instruction after it.
    auto* const call = reinterpret_cast<void*>(frames_[i].get() - 1);
    // The symbolizer's answer: functions that were inlined there, from the innermost on, each ended
    // by a zero byte, and one more behind the last.
    char text[2000] = {};
    if (__sanitizer_symbolize_pc != nullptr) {
      __sanitizer_symbolize_pc(call, "%F %L", text, sizeof text - 2);
    }
    std::string_view one(text);
    do {
      Line<1000> line;
      line.text("    #").number(number++).put(' ').address(call).put(' ').text(one).end();
      os::write_text(os::kStandardError, line.view());
      one = std::string_view(one.data() + one.size() + 1);
    } while (!one.empty());
  }
}

}  // namespace spillway::tools
