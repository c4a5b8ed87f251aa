// SPDX-License-Identifier: MIT
// Internal invariants, checked in builds without NDEBUG. Traps instead of printing: a check may
// fire where nothing else of the process can be trusted, and a debugger stops at the very line.
#pragma once

#ifdef NDEBUG
#define SPILLWAY_DCHECK(condition) static_cast<void>(sizeof(!(condition)))
#else
#define SPILLWAY_DCHECK(condition) ((condition) ? static_cast<void>(0) : __builtin_trap())
#endif
