// SPDX-License-Identifier: MIT
// What tools may have a running process do, by the control page (control.h).
#pragma once

#include <string_view>

#include "alloc/base/line.h"
#include "alloc/config/options.h"
#include "alloc/control/reply.h"

namespace spillway::heap {

// Runs `request`, a command of the table and its arguments. False: `error` has one line, without an
// end, that says why not. For the background thread.
bool run_command(std::string_view request, control::Reply& reply, Line<500>& error);

// The statistics as text of a reply; what does not fit leaves it cut.
void write_statistics(control::Reply& reply, config::StatsFormat format);

}  // namespace spillway::heap
