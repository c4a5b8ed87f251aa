// SPDX-License-Identifier: MIT
#include "alloc/profile/probes.h"

// The note's form is SystemTap's, version 3: addresses of the instruction, of a mark by which tools
// see that a file was moved by prelink, and of the count of tracers; then provider, name, and
// arguments as size@place, -8 for a number with a sign.
#if defined(__x86_64__)
#define SPILLWAY_PROBE_ARGUMENTS_1 "8@%%rdi"
#define SPILLWAY_PROBE_ARGUMENTS_3 "8@%%rdi 8@%%rsi 8@%%rdx"
#elif defined(__aarch64__)
#define SPILLWAY_PROBE_ARGUMENTS_1 "8@x0"
#define SPILLWAY_PROBE_ARGUMENTS_3 "8@x0 8@x1 8@x2"
#else
#error "probes are for x86-64 and 64-bit ARM"
#endif

#define SPILLWAY_PROBE(name, arguments)                                   \
  "990: nop\n"                                                            \
  ".pushsection .note.stapsdt,\"\",\"note\"\n"                            \
  ".balign 4\n"                                                           \
  ".4byte 992f-991f, 994f-993f, 3\n"                                      \
  "991: .asciz \"stapsdt\"\n"                                             \
  "992: .balign 4\n"                                                      \
  "993: .8byte 990b, _.stapsdt.base, spillway_probe_" #name               \
  "_tracers\n"                                                            \
  ".asciz \"otel_memory\"\n"                                              \
  ".asciz \"" #name                                                       \
  "\"\n"                                                                  \
  ".asciz \"" arguments                                                   \
  "\"\n"                                                                  \
  "994: .balign 4\n"                                                      \
  ".popsection\n"                                                         \
  ".ifndef _.stapsdt.base\n"                                              \
  ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
  ".weak _.stapsdt.base\n"                                                \
  ".hidden _.stapsdt.base\n"                                              \
  "_.stapsdt.base: .space 1\n"                                            \
  ".size _.stapsdt.base, 1\n"                                             \
  ".popsection\n"                                                         \
  ".endif\n"

// The kernel's uprobes find them by their place in the file.
extern "C" {
[[gnu::section(".probes"), gnu::visibility("hidden"),
  gnu::used]] volatile unsigned short spillway_probe_alloc_tracers = 0;
[[gnu::section(".probes"), gnu::visibility("hidden"),
  gnu::used]] volatile unsigned short spillway_probe_free_tracers = 0;
}

namespace spillway::profile {

// The operands keep the arguments where a call puts them up to the probe.
void probe_alloc(const void* pointer, size_t size, size_t weight) {
#if defined(__x86_64__)
  __asm__ volatile(SPILLWAY_PROBE(alloc, SPILLWAY_PROBE_ARGUMENTS_3)
                   :
                   : "D"(pointer), "S"(size), "d"(weight));
#else
  register const void* x0 __asm__("x0") = pointer;
  register size_t x1 __asm__("x1") = size;
  register size_t x2 __asm__("x2") = weight;
  __asm__ volatile(SPILLWAY_PROBE(alloc, SPILLWAY_PROBE_ARGUMENTS_3) : : "r"(x0), "r"(x1), "r"(x2));
#endif
}

void probe_free(const void* pointer) {
#if defined(__x86_64__)
  __asm__ volatile(SPILLWAY_PROBE(free, SPILLWAY_PROBE_ARGUMENTS_1) : : "D"(pointer));
#else
  register const void* x0 __asm__("x0") = pointer;
  __asm__ volatile(SPILLWAY_PROBE(free, SPILLWAY_PROBE_ARGUMENTS_1) : : "r"(x0));
#endif
}

bool is_probe_watched() { return spillway_probe_alloc_tracers != 0; }

}  // namespace spillway::profile
