// SPDX-License-Identifier: MIT
// Which symbols of libspillway_pool.so others see; everything else in it is hidden.
#pragma once

// Of the buffer pool's functions and classes.
#define SPILLWAY_POOL_API __attribute__((visibility("default")))
