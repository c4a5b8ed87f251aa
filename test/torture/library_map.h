// SPDX-License-Identifier: MIT
// Where a library lies in another process, and what of it is code.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace torture {

struct LibraryMap {
  uint64_t base = 0;  // what addresses in the file's symbol table count from
  uint64_t text = 0;
  uint64_t text_end = 0;

  bool holds(uint64_t address) const { return address >= text && address < text_end; }
};

// Nothing when the process has no code of this file.
std::optional<LibraryMap> find_library(pid_t process, const std::string& path);

// The value of a symbol in the file's symbol table, which hidden ones are in, too; 0 without it.
uint64_t symbol_value(const std::string& path, const std::string& mangled);

// "function at file:line" of an address in the file, as addr2line knows it.
std::string place_of(const std::string& path, uint64_t value);

}  // namespace torture
