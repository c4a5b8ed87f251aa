// SPDX-License-Identifier: MIT
#include "library_map.h"

#include <elf.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace torture {

std::optional<LibraryMap> find_library(pid_t process, const std::string& path) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  LibraryMap found;
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with(path)) {
      continue;
    }
    uint64_t from = 0;
    uint64_t to = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, rights) != 3) {
      continue;
    }
    if (found.base == 0) {
      found.base = from;
    }
    if (rights[2] == 'x') {
      found.text = from;
      found.text_end = to;
    }
  }
  return found.text != 0 ? std::optional(found) : std::nullopt;
}

uint64_t symbol_value(const std::string& path, const std::string& mangled) {
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), {}};
  const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(file.data());
  const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(file.data() + header->e_shoff);
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) {
      continue;
    }
    const char* const names = file.data() + sections[sections[i].sh_link].sh_offset;
    const auto* const symbols =
        reinterpret_cast<const Elf64_Sym*>(file.data() + sections[i].sh_offset);
    for (size_t n = 0; n < sections[i].sh_size / sizeof(Elf64_Sym); ++n) {
      if (mangled == names + symbols[n].st_name) {
        return symbols[n].st_value;
      }
    }
  }
  return 0;
}

std::string place_of(const std::string& path, uint64_t value) {
  std::ostringstream command;
  command << "addr2line -Cfpse '" << path << "' 0x" << std::hex << value << " 2>/dev/null";
  std::string line(1000, '\0');
  FILE* const pipe = popen(command.str().c_str(), "r");
  if (pipe == nullptr || std::fgets(line.data(), static_cast<int>(line.size()), pipe) == nullptr) {
    line.clear();
  }
  if (pipe != nullptr) {
    pclose(pipe);
  }
  line.resize(line.find_last_not_of(std::string("\n\0", 2)) + 1);
  return line;
}

}  // namespace torture
