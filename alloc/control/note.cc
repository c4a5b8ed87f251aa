// SPDX-License-Identifier: MIT
// The ELF note that tells tools where the control page is: name "Spillway", type 1, and as contents
// the protocol and the version's number; the distances in bytes from each of these three fields to
// the page, the gate and the entry (0: none on this machine); the version as text. The linker fills
// the distances in: no relocation is left for the loader, a note is never garbage to it, and strip
// leaves it.
#include "alloc/control/page.h"

#if __x86_64__
#define SPILLWAY_ENTRY_DISTANCE "spillway_control_entry - ."
#else
#define SPILLWAY_ENTRY_DISTANCE "0"
#endif
#define SPILLWAY_TEXT(x) SPILLWAY_TEXT_OF(x)
#define SPILLWAY_TEXT_OF(x) #x

static_assert(spillway::control::kProtocol == 1);  // as below

asm(R"(
  .pushsection .note.spillway, "a", %note
  .p2align 2
  .long 2f - 1f
  .long 4f - 3f
  .long 1
1: .asciz "Spillway"
2: .p2align 2
3: .long 1
  .long )" SPILLWAY_TEXT(SPILLWAY_VERSION_NUMBER) R"(
  .quad spillway_control_page - .
  .quad spillway_control_gate - .
  .quad )" SPILLWAY_ENTRY_DISTANCE R"(
  .asciz ")" SPILLWAY_VERSION_TEXT R"("
4: .p2align 2
  .popsection
)");
