// SPDX-License-Identifier: MIT
// What dlopen_opener.c finds beside itself.
__attribute__((visibility("default"))) int answer(void) { return 42; }
