// SPDX-License-Identifier: MIT
// References to symbols that glibc keeps for old programs only; their version on x86-64 is its
// first.
#pragma once
#define TEST_COMPAT(library, introduced, obsoleted) 1
#define compat_symbol_reference(library, local, symbol, version) \
  __asm__(".symver " #local ", " #symbol "@GLIBC_2.2.5")
