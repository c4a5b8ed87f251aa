// SPDX-License-Identifier: MIT
// What makes a function an entry point of the library.
#pragma once

#define SPILLWAY_EXPORT extern "C" __attribute__((visibility("default")))
