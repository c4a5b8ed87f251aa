// SPDX-License-Identifier: MIT
// What the code asks of AddressSanitizer's run-time library. All of it is weak: null in a process
// without one, so that one compiled library serves both kinds of program.
#pragma once

#include <cstddef>

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the library's names
__attribute__((weak)) void __asan_poison_memory_region(const volatile void* start, size_t bytes);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void* start, size_t bytes);
__attribute__((weak)) int __asan_address_is_poisoned(const volatile void* address);
__attribute__((weak)) void __asan_set_error_report_callback(void (*callback)(const char* report));
__attribute__((weak)) void* __asan_get_report_address();
__attribute__((weak)) void __lsan_register_root_region(const void* start, size_t bytes);
__attribute__((weak)) void __lsan_unregister_root_region(const void* start, size_t bytes);
__attribute__((weak)) void __sanitizer_symbolize_pc(void* address, const char* format, char* text,
                                                    size_t text_bytes);
__attribute__((weak)) void __sanitizer_print_stack_trace();
// NOLINTEND(readability-identifier-naming)
}
