// SPDX-License-Identifier: MIT
// Names of the system calls that an allocator may make.
#pragma once

#include <cstdint>
#include <string>

namespace bench::contention {

// "madvise"; "call_NUMBER" of one that the table does not have.
std::string system_call_name(uint64_t number);

}  // namespace bench::contention
