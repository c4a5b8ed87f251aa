// SPDX-License-Identifier: MIT
// CHECK for the whole-program tests: on failure one line with file, line and condition, then exit
// status 1. SKIP says why on one line and leaves with ctest's SKIP_RETURN_CODE, 77. Both write with
// write(2) and never allocate, so they may be used in signal handlers, forked children and early
// constructors. C and C++.
#ifndef SPILLWAY_TEST_PRELOAD_CHECK_H_
#define SPILLWAY_TEST_PRELOAD_CHECK_H_

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SPILLWAY_TEXT_(x) #x
#define SPILLWAY_TEXT(x) SPILLWAY_TEXT_(x)

// How long a test waits for what has to happen. It only ends a test that hangs: on a busy machine
// everything takes many times as long, so nothing is judged by it. Below ctest's own limit.
enum { kHangSeconds = 300 };

static inline void write_text(int fd, const char* text) {
  ssize_t done = write(fd, text, strlen(text));
  (void)done;
}

static inline void write_number(int fd, uint64_t value) {
  char digits[24];
  int at = sizeof digits - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  write_text(fd, digits + at);
}

__attribute__((noreturn)) static inline void check_failed(const char* text) {
  write_text(2, text);
  _exit(1);
}

__attribute__((noreturn)) static inline void skip_test(const char* text) {
  write_text(1, text);
  _exit(77);
}

__attribute__((noreturn)) static inline void compare_failed(const char* text, uint64_t left,
                                                            uint64_t right) {
  write_text(2, text);
  write_number(2, left);
  write_text(2, " and ");
  write_number(2, right);
  write_text(2, "\n");
  _exit(1);
}

#define CHECK(condition) \
  ((condition)           \
       ? (void)0         \
       : check_failed(__FILE__ ":" SPILLWAY_TEXT(__LINE__) ": CHECK failed: " #condition "\n"))

// `left op right` for unsigned integers; a failure prints both values.
#define CHECK_COMPARE(left, op, right)                                                     \
  do {                                                                                     \
    uint64_t left_value_ = (uint64_t)(left), right_value_ = (uint64_t)(right);             \
    if (!(left_value_ op right_value_))                                                    \
      compare_failed(__FILE__ ":" SPILLWAY_TEXT(__LINE__) ": CHECK failed: " #left " " #op \
                                                          " " #right ", values ",          \
                     left_value_, right_value_);                                           \
  } while (0)

#define SKIP(reason) skip_test("skipped: " reason "\n")

// Hides a value from the optimiser and from the warnings about deliberate misuse.
static inline void* opaque(void* p) {
  __asm__ volatile("" : "+r"(p));
  return p;
}

static inline size_t opaque_size(size_t n) {
  __asm__ volatile("" : "+r"(n));
  return n;
}

#endif  // SPILLWAY_TEST_PRELOAD_CHECK_H_
