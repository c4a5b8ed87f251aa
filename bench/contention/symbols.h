// SPDX-License-Identifier: MIT
// Names for addresses of this process's code, from the symbol tables of the files that it is mapped
// from. Allocates from the program's own memory only.
#pragma once

#include <cstdint>
#include <string>

namespace bench::contention {

// "libspillway.so+0x1234 _ZN8spillway4takeEv+0x10": the file, the offset for addr2line, and the
// function if the file has a symbol there, mangled.
std::string place_name(uint64_t address);

}  // namespace bench::contention
