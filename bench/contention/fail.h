// SPDX-License-Identifier: MIT
// How the part of the program that counts gives up. Allocates nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace bench::contention {

// Where the message says it happened; a row's name. Lives as long as the program.
void name_failures(const char* where);

// One line on stderr, exit status 1, without the end of a program: threads may stand in malloc.
[[noreturn]] void fail(std::string_view what);
[[noreturn]] void fail_at(uint64_t address, std::string_view what);  // of an instruction

}  // namespace bench::contention
