// SPDX-License-Identifier: MIT
#include "alloc/profile/mapped_files.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "alloc/base/bits.h"
#include "alloc/base/text.h"
#include "alloc/os/line_reader.h"
#include "alloc/os/os.h"
#include "alloc/os/read_file.h"

namespace spillway::profile {
namespace {

uint64_t take_hexadecimal(std::string_view& text) {
  uint64_t value = 0;
  size_t length = 0;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) {
      break;
    }
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  text = rest_from(text, length);
  return value;
}

}  // namespace

// start-end rights offset device inode      name
void MappedFiles::add(std::string_view line) {
  const uint64_t start = take_hexadecimal(line);
  line = rest_from(line, 1);
  const uint64_t end = take_hexadecimal(line);
  line = rest_from(line, 1);
  const std::string_view rights = take_until(line, ' ');
  const uint64_t offset = take_hexadecimal(line);
  line = rest_from(line, 1);
  take_until(line, ' ');
  take_until(line, ' ');
  while (!line.empty() && line[0] == ' ') {
    line = rest_from(line, 1);
  }
  const bool is_code = rights.size() > 2 && rights[2] == 'x';
  // With the zero byte that opening it takes.
  if (!is_code || line.empty() || line[0] != '/' || count_ == kMaxFiles ||
      kNameBytes - names_used_ <= line.size()) {
    return;
  }
  MappedFile& file = files_[count_++];
  file.start = start;
  file.end = end;
  file.offset = offset;
  file.name = static_cast<uint32_t>(names_used_);
  file.name_length = static_cast<uint16_t>(line.copy(names_ + names_used_, line.size()));
  file.build_id_length = 0;
  names_used_ += line.size();
  names_[names_used_++] = '\0';
}

// The note among those of one part of the file.
bool MappedFiles::find_build_id(MappedFile& file, std::string_view notes) {
  ElfW(Nhdr) note;
  for (size_t place = 0; notes.size() >= place + sizeof note;) {
    std::memcpy(&note, notes.data() + place, sizeof note);
    const size_t name = place + sizeof note;
    const size_t content = name + align_up(note.n_namesz, 4);
    if (content > notes.size() || notes.size() - content < note.n_descsz) {
      return false;
    }
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU" &&
        std::memcmp(notes.data() + name, "GNU", sizeof "GNU") == 0) {
      file.build_id_length =
          static_cast<uint8_t>(std::min<size_t>(note.n_descsz, sizeof file.build_id));
      std::memcpy(file.build_id, notes.data() + content, file.build_id_length);
      return true;
    }
    place = content + align_up(note.n_descsz, 4);
  }
  return false;
}

void MappedFiles::read_build_id(MappedFile& file) {
  const char* const path = name(file).data();  // ends with a zero byte
  const os::InputFile content(path);
  const size_t length = content.read_at(0, head_, sizeof head_);
  ElfW(Ehdr) header;
  if (length < sizeof header) {
    return;
  }
  std::memcpy(&header, head_, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phoff > length) {
    return;
  }
  const size_t parts =
      std::min<size_t>(header.e_phnum, (length - header.e_phoff) / sizeof(ElfW(Phdr)));
  for (size_t i = 0; i < parts; ++i) {
    ElfW(Phdr) part;
    std::memcpy(&part, head_ + header.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type == PT_NOTE) {
      const size_t wanted = std::min<size_t>(part.p_filesz, sizeof buffer_);
      const std::string_view notes(buffer_, content.read_at(part.p_offset, buffer_, wanted));
      if (find_build_id(file, notes)) {
        return;
      }
    }
  }
}

// Tools take the first one for the program.
void MappedFiles::put_program_first() {
  const size_t program = find(os::program_entry());
  for (size_t i = program; i > 1; --i) {
    std::swap(files_[i - 1], files_[i - 2]);
  }
}

void MappedFiles::read(const char* maps) {
  count_ = 0;
  names_used_ = 0;
  os::LineReader reader(maps, buffer_, sizeof buffer_);
  std::string_view line;
  while (reader.next(line)) {
    add(line);
  }
  for (size_t i = 0; i < count_; ++i) {
    read_build_id(files_[i]);
  }
  put_program_first();
}

size_t MappedFiles::find(uintptr_t address) const {
  for (size_t i = 0; i < count_; ++i) {
    if (address - files_[i].start < files_[i].end - files_[i].start) {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace spillway::profile
