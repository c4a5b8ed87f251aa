// SPDX-License-Identifier: MIT
// The files whose code the process has mapped, as a profile names them: by addresses, by the part
// of the file, and by what its linker called it (build id). Read from the kernel and from the files
// when a profile is written; nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::profile {

struct MappedFile {
  uintptr_t start;
  uintptr_t end;
  uint64_t offset;  // of the mapping's start in the file
  uint32_t name;    // where in the names
  uint16_t name_length;
  uint8_t build_id_length;
  uint8_t build_id[32];
};

class MappedFiles {
 public:
  static constexpr size_t kMaxFiles = 2048;  // arbitrary, as the next: the rest has no name
  static constexpr size_t kNameBytes = 128 * 1024;

  // Room for all that, and to work in: zeroed memory.
  MappedFiles() = default;
  MappedFiles(const MappedFiles&) = delete;
  MappedFiles& operator=(const MappedFiles&) = delete;

  // The program itself comes first, then all others by address.
  void read(const char* maps = "/proc/self/maps");

  size_t count() const { return count_; }
  const MappedFile& at(size_t index) const { return files_[index]; }
  std::string_view name(const MappedFile& file) const {
    return {names_ + file.name, file.name_length};
  }
  // The index and 1 of the one that holds the address; 0: none.
  size_t find(uintptr_t address) const;

 private:
  void add(std::string_view line);
  void read_build_id(MappedFile& file);
  static bool find_build_id(MappedFile& file, std::string_view notes);
  void put_program_first();

  MappedFile files_[kMaxFiles];
  char names_[kNameBytes];
  char buffer_[8192];
  char head_[4096];
  size_t count_;
  size_t names_used_;
};

}  // namespace spillway::profile
