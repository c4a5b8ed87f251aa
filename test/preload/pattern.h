// SPDX-License-Identifier: MIT
// Content checks: a block carries its owner's pattern in its first and last word and in one word of
// each page between. Two owners of one block, or a block that the allocator wrote to, show as a
// failed CHECK. No allocation.
#ifndef SPILLWAY_TEST_PRELOAD_PATTERN_H_
#define SPILLWAY_TEST_PRELOAD_PATTERN_H_

#include "check.h"

enum { kPatternStep = 4096 };

static inline uint64_t pattern_word(const void* p, uint64_t owner) {
  uint64_t x = ((uint64_t)(uintptr_t)p ^ (owner * 0x9e3779b97f4a7c15u)) + owner;
  x ^= x >> 31;
  return x * 0xbf58476d1ce4e5b9u;
}

static inline void put_word(char* at, uint64_t word) { memcpy(at, &word, sizeof word); }

static inline uint64_t get_word(const char* at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

// `size` in bytes, 8 or more.
static inline void stamp(void* block, size_t size, uint64_t owner) {
  char* p = (char*)block;
  for (size_t at = 0; at + 8 <= size; at += kPatternStep)
    put_word(p + at, pattern_word(p + at, owner));
  put_word(p + size - 8, pattern_word(p + size - 8, owner));
}

static inline int is_stamped(const void* block, size_t size, uint64_t owner) {
  const char* p = (const char*)block;
  for (size_t at = 0; at + 8 <= size; at += kPatternStep) {
    if (at + 8 > size - 8) break;  // the last word may cover this one
    if (get_word(p + at) != pattern_word(p + at, owner)) return 0;
  }
  return get_word(p + size - 8) == pattern_word(p + size - 8, owner);
}

// A byte that is cheap to compute and differs between neighbouring offsets; for full-content
// checks.
static inline void fill_bytes(void* block, size_t from, size_t to, unsigned seed) {
  unsigned char* p = (unsigned char*)block;
  for (size_t i = from; i < to; i++) p[i] = (unsigned char)(i * 31 + (i >> 8) + seed);
}

static inline int bytes_match(const void* block, size_t from, size_t to, unsigned seed) {
  const unsigned char* p = (const unsigned char*)block;
  for (size_t i = from; i < to; i++)
    if (p[i] != (unsigned char)(i * 31 + (i >> 8) + seed)) return 0;
  return 1;
}

static inline int all_zero(const void* block, size_t size) {
  const unsigned char* p = (const unsigned char*)block;
  for (size_t i = 0; i < size; i++)
    if (p[i] != 0) return 0;
  return 1;
}

// xorshift; `state` must not be 0.
static inline uint64_t next_random(uint64_t* state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

// Log-uniform in [2^low_bit, 2^high_bit).
static inline size_t random_size(uint64_t* state, unsigned low_bit, unsigned high_bit) {
  unsigned bit = low_bit + (unsigned)(next_random(state) % (high_bit - low_bit));
  size_t base = (size_t)1 << bit;
  return base + (size_t)(next_random(state) % base);
}

#endif  // SPILLWAY_TEST_PRELOAD_PATTERN_H_
