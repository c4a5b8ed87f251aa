// SPDX-License-Identifier: MIT
// Starts this program again to replay a trace, a fresh process each time. Not for timed code.
#pragma once

#include <optional>
#include <string>

#include "bench/trace/replay/plan.h"
#include "bench/trace/replay/player.h"

namespace bench::trace {

// The argument that makes this program a replaying process; a descriptor and a Touch follow.
constexpr const char* kInside = "--inside";

constexpr const char* kTouchNames[] = {"none", "word", "pages"};
std::optional<Touch> touch_named(const std::string& name);

// Throws std::runtime_error with a line for the user when the replay failed.
Outcome replay_once(int plan_file, Touch touch);

}  // namespace bench::trace
