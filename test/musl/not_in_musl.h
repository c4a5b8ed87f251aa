// SPDX-License-Identifier: MIT
// What programs of the other folders call, and musl does not declare. The library has it.
#pragma once

#include <stddef.h>

void* pvalloc(size_t size);
int malloc_trim(size_t pad);
