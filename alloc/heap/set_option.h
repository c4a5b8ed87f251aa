// SPDX-License-Identifier: MIT
// Changes options of the running process: those that are read again and again, not at the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"

namespace spillway::heap {

enum class SetOutcome : uint8_t { kDone, kUnknown, kWrong, kFixed };

// As SPILLWAY_<name>=<text> at the start would have. Anything but kDone: nothing has changed, and
// `complaint` has one line, without an end, that says why. Any thread but a signal handler.
SetOutcome set_option(std::string_view name, std::string_view text, Line<500>& complaint);

// The C interface's: 0 or the number of an error, as spillway/spillway.h says.
int set_option_as(const char* name, const char* text);
int get_option_as(const char* name, char* text, size_t size);

}  // namespace spillway::heap
