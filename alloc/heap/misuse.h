// What happens to pointers into the arena that no live block starts at: one line on stderr that
// names address and class, then as the option on_misuse says.
#pragma once

#include <cstdint>

#include "alloc/base/index.h"

namespace spillway::heap {

enum class Misuse : uint8_t { kFree, kReallocate };

// Aborts the process unless on_misuse says otherwise; the pointer is then ignored.
void report_misuse(Misuse call, const void* pointer);

// For the engine: a block that two threads freed at the same time.
void report_late_double_free(void* owner, void* block);

}  // namespace spillway::heap
