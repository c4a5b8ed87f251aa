// SPDX-License-Identifier: MIT
#include "alloc/profile/frame_table.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstring>

#include "alloc/profile/cfi_cursor.h"

// Weak: null with an older glibc than this was compiled with, and in a static program.
#ifdef DLFO_STRUCT_HAS_EH_DBASE
#pragma weak _dl_find_object
#endif

namespace spillway::profile {
namespace {

struct Object {
  ObjectRange range;
  const uint8_t* search_table = nullptr;  // .eh_frame_hdr
};

// The program itself, by the headers that the kernel tells of.
bool find_in_program(uintptr_t address, Object& object) {
  const auto* const headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const unsigned long count = getauxval(AT_PHNUM);
  if (headers == nullptr) {
    return false;
  }
  uintptr_t base = 0;
  for (unsigned long i = 0; i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      base = reinterpret_cast<uintptr_t>(headers) - headers[i].p_vaddr;
    }
  }
  object = {.range = {.start = UINTPTR_MAX, .end = 0}};
  for (unsigned long i = 0; i < count; ++i) {
    const uintptr_t start = base + headers[i].p_vaddr;
    if (headers[i].p_type == PT_LOAD) {
      object.range.start = start < object.range.start ? start : object.range.start;
      const uintptr_t end = start + headers[i].p_memsz;
      object.range.end = end > object.range.end ? end : object.range.end;
    } else if (headers[i].p_type == PT_GNU_EH_FRAME) {
      object.search_table = reinterpret_cast<const uint8_t*>(start);
    }
  }
  return address - object.range.start < object.range.end - object.range.start;
}

bool find(uintptr_t address, Object& object) {
#ifdef DLFO_STRUCT_HAS_EH_DBASE
  if (&_dl_find_object == nullptr) {
    return find_in_program(address, object);
  }
  struct dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) {
    return false;
  }
  object = {.range = {.start = reinterpret_cast<uintptr_t>(found.dlfo_map_start),
                      .end = reinterpret_cast<uintptr_t>(found.dlfo_map_end)},
            .search_table = static_cast<const uint8_t*>(found.dlfo_eh_frame)};
  return true;
#else
  return find_in_program(address, object);
#endif
}

// The entry of the last function that starts at or below `address`, or null.
const uint8_t* search(const uint8_t* table, uintptr_t address) {
  struct Entry {
    int32_t function;  // both from the table's start
    int32_t description;
  };
  CfiCursor cursor(table);
  constexpr uint8_t kVersion = 1;
  const auto version = cursor.fixed<uint8_t>();
  const auto frame_encoding = cursor.fixed<uint8_t>();
  const auto count_encoding = cursor.fixed<uint8_t>();
  const auto entry_encoding = cursor.fixed<uint8_t>();
  uint64_t ignored = 0;
  uint64_t count = 0;
  if (version != kVersion || entry_encoding != CfiCursor::kDataRelative4 ||
      !cursor.encoded(frame_encoding, ignored) || !cursor.encoded(count_encoding, count)) {
    return nullptr;
  }
  const uint8_t* const entries = cursor.position();
  const auto wanted = static_cast<int64_t>(address - reinterpret_cast<uintptr_t>(table));
  const auto entry_at = [entries](uint64_t index) {
    Entry entry;
    std::memcpy(&entry, entries + index * sizeof(Entry), sizeof entry);
    return entry;
  };
  uint64_t low = 0;
  uint64_t high = count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (entry_at(middle).function <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? nullptr : table + entry_at(low - 1).description;
}

// Both kinds of entries begin with their length. False for those of 4 GiB and more, which no
// compiler writes, and for the end of the section.
bool read_length(CfiCursor& cursor, const uint8_t*& end) {
  constexpr uint32_t kLong = 0xffffffff;
  const auto length = cursor.fixed<uint32_t>();
  end = cursor.position() + length;
  return length != 0 && length != kLong;
}

bool read_common(const uint8_t* at, FrameDescription& found, bool& has_data) {
  CfiCursor cursor(at);
  if (!read_length(cursor, found.common_end)) {
    return false;
  }
  cursor.skip(sizeof(uint32_t));  // 0: a common entry
  const auto version = cursor.fixed<uint8_t>();
  const auto* const letters = reinterpret_cast<const char*>(cursor.position());
  cursor.skip(std::strlen(letters) + 1);
  if (version == 4) {
    cursor.skip(2);  // sizes of an address and of a segment
  } else if (version != 1 && version != 3) {
    return false;
  }
  found.code_unit = cursor.unsigned_leb();
  found.data_unit = cursor.signed_leb();
  found.return_register = version == 1 ? cursor.fixed<uint8_t>() : cursor.unsigned_leb();
  has_data = letters[0] == 'z';
  if (!has_data) {
    found.common = cursor.position();
    return letters[0] == '\0';
  }
  const uint64_t length = cursor.unsigned_leb();
  found.common = cursor.position() + length;
  for (const char* letter = letters + 1; *letter != '\0'; ++letter) {
    uint64_t ignored = 0;
    switch (*letter) {
      case 'R':
        found.pointer_encoding = cursor.fixed<uint8_t>();
        break;
      case 'P': {
        const auto encoding = cursor.fixed<uint8_t>();
        constexpr uint8_t kFormatAndPcRelative = CfiCursor::kFormatMask | CfiCursor::kPcRelative;
        if (!cursor.encoded(encoding & kFormatAndPcRelative, ignored)) {
          return false;
        }
        break;
      }
      case 'L':
        cursor.skip(1);
        break;
      case 'S':
        found.is_signal_frame = true;
        break;
      case 'B':  // return addresses are signed with the other key
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

const uint8_t* find_frame_table(uintptr_t address) {
  Object object;
  return find(address, object) ? object.search_table : nullptr;
}

bool find_frame(const uint8_t* table, uintptr_t address, FrameDescription& found) {
  const uint8_t* const description = search(table, address);
  if (description == nullptr) {
    return false;
  }
  found = {};
  CfiCursor cursor(description);
  if (!read_length(cursor, found.own_end)) {
    return false;
  }
  const uint8_t* const common = cursor.position();
  const auto distance = cursor.fixed<uint32_t>();
  bool has_data = false;
  if (distance == 0 || !read_common(common - distance, found, has_data)) {
    return false;
  }
  uint64_t start = 0;
  uint64_t bytes = 0;
  if (!cursor.encoded(found.pointer_encoding, start) ||
      !cursor.encoded(found.pointer_encoding & CfiCursor::kFormatMask, bytes)) {
    return false;
  }
  if (has_data) {
    const uint64_t length = cursor.unsigned_leb();
    cursor.skip(length);
  }
  found.own = cursor.position();
  found.start = start;
  return address - start < bytes;
}

bool find_object(uintptr_t address, ObjectRange& range) {
  Object object;
  const bool is_found = find(address, object);
  range = object.range;
  return is_found;
}

}  // namespace spillway::profile
