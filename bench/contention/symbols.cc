// SPDX-License-Identifier: MIT
#include "bench/contention/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

namespace bench::contention {
namespace {

struct Object {
  uint64_t address;  // asked for
  uint64_t base = 0;
  std::string file;
};

int find_object(dl_phdr_info* info, std::size_t /*size*/, void* argument) {
  auto& object = *static_cast<Object*>(argument);
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type == PT_LOAD &&
        object.address - (info->dlpi_addr + part.p_vaddr) < part.p_memsz) {
      object.base = info->dlpi_addr;
      object.file = *info->dlpi_name != 0 ? info->dlpi_name : "/proc/self/exe";
      return 1;
    }
  }
  return 0;
}

class MappedFile {
 public:
  explicit MappedFile(const std::string& name) {
    const int file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (file >= 0 && fstat(file, &about) == 0) {
      void* const memory =
          mmap(nullptr, static_cast<std::size_t>(about.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (memory != MAP_FAILED) {
        bytes_ = {static_cast<const char*>(memory), static_cast<std::size_t>(about.st_size)};
      }
    }
    if (file >= 0) {
      close(file);
    }
  }
  ~MappedFile() {
    if (!bytes_.empty()) {
      munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    }
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // `count` objects at `offset`; none if the file ends before.
  template <class T>
  std::span<const T> at(uint64_t offset, uint64_t count) const {
    if (offset > bytes_.size() || count > (bytes_.size() - offset) / sizeof(T)) {
      return {};
    }
    return {reinterpret_cast<const T*>(bytes_.data() + offset), count};
  }
  // Text that ends with a zero byte.
  std::string_view text(uint64_t offset) const {
    return offset < bytes_.size() ? std::string_view(bytes_.data() + offset) : std::string_view();
  }

 private:
  std::span<const char> bytes_;
};

std::string function_in(const MappedFile& file, uint64_t offset) {
  const auto header = file.at<ElfW(Ehdr)>(0, 1);
  if (header.empty()) {
    return {};
  }
  const auto sections = file.at<ElfW(Shdr)>(header[0].e_shoff, header[0].e_shnum);
  for (const ElfW(Word) wanted : {ElfW(Word){SHT_SYMTAB}, ElfW(Word){SHT_DYNSYM}}) {
    for (const ElfW(Shdr) & section : sections) {
      if (section.sh_type != wanted || section.sh_link >= sections.size()) {
        continue;
      }
      for (const ElfW(Sym) & symbol :
           file.at<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)))) {
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
            offset - symbol.st_value < symbol.st_size) {
          char distance[24];
          std::snprintf(distance, sizeof distance, "+%#lx", offset - symbol.st_value);
          const uint64_t name = sections[section.sh_link].sh_offset + symbol.st_name;
          return std::string(file.text(name)) + distance;
        }
      }
    }
  }
  return {};
}

}  // namespace

std::string place_name(uint64_t address) {
  Object object{address, 0, {}};
  dl_iterate_phdr(find_object, &object);
  char text[32];
  std::snprintf(text, sizeof text, "+%#lx", address - object.base);
  if (object.file.empty()) {
    return std::string("unknown") + text;
  }
  const std::string function = function_in(MappedFile(object.file), address - object.base);
  const std::string name = object.file.substr(object.file.rfind('/') + 1) + text;
  return function.empty() ? name : name + " " + function;
}

}  // namespace bench::contention
