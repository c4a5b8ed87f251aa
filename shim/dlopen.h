// SPDX-License-Identifier: MIT
// What the entry `dlopen` asks of the heap. Its name is one of the few that the members of the
// static library share (see CMakeLists.txt).
#pragma once

extern "C" {
// The flags that libc is to get for `flags`. Starts the heap, which reads the options.
__attribute__((visibility("hidden"))) int spillway_entry_dlopen_flags(int flags) noexcept;
}
