// SPDX-License-Identifier: MIT
// The memory part of alloc/os/os.h for tests: does what the kernel does, until told to refuse.
#pragma once

#include <cstdint>

namespace spillway::os::faulty {

enum class Call : uint8_t { kReserve, kCommit, kPurge, kDeny, kAllow, kCount };

// The calls after the next `successes` ones fail, `failures` of them. Undone by reset().
void fail(Call call, uint64_t successes, uint64_t failures);
void reset();

// Calls made since reset().
uint64_t calls(Call call);

// As kernels before 6.13: deny() splits the mapping. False after reset().
void deny_by_protection(bool wanted);

// Called by each purge before the kernel is; null after reset().
void at_purge(void (*call)(void* context), void* context);

// What address_space_left() answers; UINT64_MAX after reset().
void limit_address_space(uint64_t bytes);

// Bytes that huge pages were asked for since reset().
uint64_t huge_bytes();

// Reservations not yet released, in bytes.
uint64_t reserved_bytes();

}  // namespace spillway::os::faulty
