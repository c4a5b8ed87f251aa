// SPDX-License-Identifier: MIT
// The note of this program, and the words that the entry takes: what tools rely on.
#include "alloc/control/page.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "alloc/base/attributes.h"
#include "alloc/control/entry.h"

// Of the heap, which is not here; and what the note names.
SPILLWAY_OWN_PAGES constinit spillway::control::Page spillway_control_page{};
constinit spillway::control::Gate spillway_control_gate{};
namespace {
int woken = 0;
}
extern "C" void spillway_control_woken() { ++woken; }

namespace spillway::control {
namespace {

struct Contents {
  uint32_t protocol;
  uint32_t version_number;
  int64_t page;
  int64_t gate;
  int64_t entry;
};

const unsigned char* find_note() {
  const unsigned char* found = nullptr;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = info->dlpi_phdr[i];
          if (header.p_type != PT_NOTE) {
            continue;
          }
          const auto* at = reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr);
          const auto* const end = at + header.p_memsz;
          while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof note);
            const unsigned char* const name = at + sizeof note;
            const unsigned char* const contents = name + (note.n_namesz + 3) / 4 * 4;
            if (note.n_namesz == 9 && std::memcmp(name, "Spillway", 9) == 0) {
              *static_cast<const unsigned char**>(to) = contents;
            }
            at = contents + (note.n_descsz + 3) / 4 * 4;
          }
        }
        return 1;  // this program alone
      },
      &found);
  return found;
}

BOOST_AUTO_TEST_SUITE(control_page)

BOOST_AUTO_TEST_CASE(note_leads_to_page_gate_and_entry) {
  const unsigned char* const at = find_note();
  BOOST_REQUIRE(at != nullptr);
  Contents contents{};
  std::memcpy(&contents, at, sizeof contents);
  BOOST_TEST(contents.protocol == kProtocol);
  BOOST_TEST(contents.version_number > 0U);
  const auto to = [at](size_t field, int64_t distance) {
    return reinterpret_cast<uintptr_t>(at) + field + static_cast<uintptr_t>(distance);
  };
  BOOST_TEST(to(8, contents.page) == reinterpret_cast<uintptr_t>(&spillway_control_page));
  BOOST_TEST(to(16, contents.gate) == reinterpret_cast<uintptr_t>(&spillway_control_gate));
#if __x86_64__
  BOOST_TEST(contents.entry != 0);
#else
  BOOST_TEST(contents.entry == 0);
#endif
  const std::string version(reinterpret_cast<const char*>(at + sizeof contents));
  BOOST_TEST(std::count(version.begin(), version.end(), '.') == 2);
}

#if __x86_64__
// As a tool has it: flags and address below the red zone, the stack pointer at the flags.
BOOST_AUTO_TEST_CASE(entry_goes_on_where_the_thread_was) {
  const int before = woken;
  for (const bool taken : {false, true}) {
    if (taken) {
      forget_entry_after_fork();
    }
    uint64_t sum = 0;
    uint64_t flags = 0;
    uint64_t stack_moved = 1;
    __asm__ volatile(
        "mov %%rsp, %%r12\n"
        "sub $1024, %%rsp\n"  // the compiler's own red zone
        "mov %%rsp, %%r13\n"
        "mov $5, %%rax\n mov $7, %%rcx\n mov $11, %%r11\n mov $13, %%rdi\n"
        "stc\n"
        "lea 1f(%%rip), %%rbx\n"
        "mov %%rbx, -136(%%rsp)\n"
        "pushfq\n pop %%rbx\n"
        "mov %%rbx, -144(%%rsp)\n"
        "lea -144(%%rsp), %%rsp\n"
        "jmp spillway_control_entry\n"
        "1:\n"
        "pushfq\n pop %[flags]\n"
        "sub %%rsp, %%r13\n"
        "mov %%r13, %[moved]\n"
        "mov %%r12, %%rsp\n"
        "add %%rcx, %%rax\n add %%r11, %%rax\n add %%rdi, %%rax\n"
        "mov %%rax, %[sum]\n"
        : [sum] "=&r"(sum), [flags] "=&r"(flags), [moved] "=&r"(stack_moved)
        :
        : "rax", "rbx", "rcx", "rdi", "r11", "r12", "r13", "cc", "memory");
    BOOST_TEST(sum == 36U);
    BOOST_TEST((flags & 1) == 1U);
    BOOST_TEST(stack_moved == 0U);
  }
  BOOST_TEST(woken == before + 2);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::control
