// SPDX-License-Identifier: MIT
// Whole files in and out of memory. Not for timed code.
#pragma once

#include <string>

#include "bench/trace/format.h"

namespace bench::trace {

// Both throw BadTrace whose line begins with the file's name.
Recording load(const std::string& path);
void save(const std::string& path, const Recording& recording);

// "trace/redis" for "some/redis.trace": the row's name in every report.
std::string row_name(const std::string& path);

}  // namespace bench::trace
