// SPDX-License-Identifier: MIT
// The functions that code compiled with -fsanitize=thread calls before each access to memory, and
// for each atomic one. The names and signatures are the compilers' (compiler-rt,
// sanitizer/tsan_interface_atomic.h); the sanitizer itself is not linked.
#include <cstddef>
#include <cstdint>

#include "test/model/machine.h"

using spillway::model::Machine;

namespace {

std::memory_order order_of(int order) { return static_cast<std::memory_order>(order); }
uintptr_t address_of(const volatile void* place) { return reinterpret_cast<uintptr_t>(place); }

void plain(const volatile void* start, size_t bytes, bool writes, const void* pc) {
  // By words: an access of more has parts that others access by themselves.
  constexpr size_t kWord = 8;
  for (size_t done = 0; done < bytes; done += kWord) {
    const size_t here = bytes - done < kWord ? bytes - done : kWord;
    Machine::get().plain(address_of(start) + done, static_cast<unsigned>(here), writes, pc);
  }
}

}  // namespace

#define SPILLWAY_PC __builtin_return_address(0)

#define SPILLWAY_PLAIN(bytes)                                                       \
  void __tsan_read##bytes(void* place) { plain(place, bytes, false, SPILLWAY_PC); } \
  void __tsan_write##bytes(void* place) { plain(place, bytes, true, SPILLWAY_PC); } \
  void __tsan_read_write##bytes(void* place) { plain(place, bytes, true, SPILLWAY_PC); }

#define SPILLWAY_UNALIGNED(bytes)                                                             \
  void __tsan_unaligned_read##bytes(void* place) { plain(place, bytes, false, SPILLWAY_PC); } \
  void __tsan_unaligned_write##bytes(void* place) { plain(place, bytes, true, SPILLWAY_PC); }

#define SPILLWAY_EXCHANGE(bits, type, name, after)                                                \
  type __tsan_atomic##bits##_##name(volatile type* place, type operand, int order) {              \
    return static_cast<type>(                                                                     \
        Machine::get().exchange(address_of(place), bits / 8, order_of(order), #name, SPILLWAY_PC, \
                                [operand]([[maybe_unused]] uint64_t before) {                     \
                                  const auto value = static_cast<uint64_t>(operand);              \
                                  return after;                                                   \
                                }));                                                              \
  }

#define SPILLWAY_COMPARE_EXCHANGE(bits, type, name)                                           \
  int __tsan_atomic##bits##_compare_exchange_##name(volatile type* place, type* expected,     \
                                                    type desired, int success, int failure) { \
    uint64_t before = *expected;                                                              \
    const bool equal =                                                                        \
        Machine::get().compare_exchange(address_of(place), bits / 8, order_of(success),       \
                                        order_of(failure), before, desired, SPILLWAY_PC);     \
    *expected = static_cast<type>(before);                                                    \
    return equal ? 1 : 0;                                                                     \
  }

#define SPILLWAY_COMPARE_EXCHANGE_VALUE(bits, type)                                         \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* place, type expected,      \
                                                  type desired, int success, int failure) { \
    uint64_t before = expected;                                                             \
    Machine::get().compare_exchange(address_of(place), bits / 8, order_of(success),         \
                                    order_of(failure), before, desired, SPILLWAY_PC);       \
    return static_cast<type>(before);                                                       \
  }

#define SPILLWAY_ATOMIC(bits, type)                                                         \
  type __tsan_atomic##bits##_load(const volatile type* place, int order) {                  \
    return static_cast<type>(                                                               \
        Machine::get().load(address_of(place), bits / 8, order_of(order), SPILLWAY_PC));    \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile type* place, type value, int order) {           \
    Machine::get().store(address_of(place), bits / 8, order_of(order), value, SPILLWAY_PC); \
  }                                                                                         \
  SPILLWAY_EXCHANGE(bits, type, exchange, value)                                            \
  SPILLWAY_EXCHANGE(bits, type, fetch_add, before + value)                                  \
  SPILLWAY_EXCHANGE(bits, type, fetch_sub, before - value)                                  \
  SPILLWAY_EXCHANGE(bits, type, fetch_and, before& value)                                   \
  SPILLWAY_EXCHANGE(bits, type, fetch_or, before | value)                                   \
  SPILLWAY_EXCHANGE(bits, type, fetch_xor, before ^ value)                                  \
  SPILLWAY_COMPARE_EXCHANGE(bits, type, strong)                                             \
  SPILLWAY_COMPARE_EXCHANGE(bits, type, weak)                                               \
  SPILLWAY_COMPARE_EXCHANGE_VALUE(bits, type)

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier)
void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}
SPILLWAY_PLAIN(1)
SPILLWAY_PLAIN(2)
SPILLWAY_PLAIN(4)
SPILLWAY_PLAIN(8)
SPILLWAY_PLAIN(16)
SPILLWAY_UNALIGNED(2)
SPILLWAY_UNALIGNED(4)
SPILLWAY_UNALIGNED(8)
SPILLWAY_UNALIGNED(16)
void __tsan_read_range(void* start, size_t bytes) { plain(start, bytes, false, SPILLWAY_PC); }
void __tsan_write_range(void* start, size_t bytes) { plain(start, bytes, true, SPILLWAY_PC); }
void __tsan_vptr_read(void** place) { plain(place, sizeof place, false, SPILLWAY_PC); }
void __tsan_vptr_update(void** place, void* /*value*/) {
  plain(place, sizeof place, true, SPILLWAY_PC);
}
SPILLWAY_ATOMIC(8, uint8_t)
SPILLWAY_ATOMIC(16, uint16_t)
SPILLWAY_ATOMIC(32, uint32_t)
SPILLWAY_ATOMIC(64, uint64_t)
void __tsan_atomic_thread_fence(int order) { Machine::get().fence(order_of(order), SPILLWAY_PC); }
void __tsan_atomic_signal_fence(int /*order*/) {}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
