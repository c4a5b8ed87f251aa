// SPDX-License-Identifier: MIT
// Between the C interface (spillway/pool_c.h) and the C++ one: for c_config.cc, c_buffers.cc and
// c_observe.cc, whose functions are a line or two over the C++ ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "spillway/pool.h"
#include "spillway/pool_c.h"

// Behind the opaque pointer.
struct spillway_pool {
  spillway::Pool pool;  // of a configuration that names all classes
};

namespace spillway::pool {

// No exception leaves a C function: all that the pool throws is that there is no memory.
template <typename Work>
spillway_pool_error without_exceptions(Work work) noexcept {
  try {
    return work();
  } catch (...) {
    return SPILLWAY_POOL_NO_MEMORY;
  }
}

// The first `size` bytes of a struct that the caller's header may know in another version: what
// this one does not have is 0.
template <typename Struct>
void fill_in(Struct* to, size_t size, const Struct& from) noexcept {
  const size_t known = std::min(size, sizeof(Struct));
  std::memcpy(to, &from, known);
  std::memset(reinterpret_cast<std::byte*>(to) + known, 0, size - known);
}

// C's handles are C++'s objects; PoolError's numbers are one less than C's.
struct CInterface {
  static constexpr spillway_pool_error to_c(PoolError error) noexcept {
    return static_cast<spillway_pool_error>(static_cast<unsigned>(error) + 1);
  }
  static constexpr PoolError from_c(spillway_pool_error error) noexcept {
    return static_cast<PoolError>(static_cast<unsigned>(error) - 1);
  }

  static Tenant from_c(spillway_pool_tenant* tenant) noexcept {
    return Tenant(reinterpret_cast<TenantRecord*>(tenant));
  }
  static spillway_pool_tenant* to_c(const Tenant& tenant) noexcept {
    return reinterpret_cast<spillway_pool_tenant*>(tenant.record_);
  }
  static TenantRecord& record(spillway_pool_tenant* from) noexcept {
    return *reinterpret_cast<TenantRecord*>(from);
  }
  static const TenantRecord& record(const spillway_pool_tenant* from) noexcept {
    return *reinterpret_cast<const TenantRecord*>(from);
  }

  static Core& core(spillway_pool* from) noexcept { return *from->pool.core_; }
  static const Core& core(const spillway_pool* from) noexcept { return *from->pool.core_; }

  // `shared` and the result are one owner: only one of the two may end it.
  static SharedBuffer from_c(const spillway_pool_shared& shared) noexcept {
    return SharedBuffer({static_cast<Core*>(shared.owner), static_cast<std::byte*>(shared.start)},
                        static_cast<const std::byte*>(shared.data), shared.length);
  }
  static spillway_pool_shared to_c(SharedBuffer&& buffer) noexcept {
    const spillway_pool_shared shared{buffer.data_, buffer.size_, buffer.block_.start,
                                      buffer.block_.core};
    buffer.block_ = {};
    return shared;
  }
};
static_assert(CInterface::to_c(PoolError::kOversized) == SPILLWAY_POOL_OVERSIZED);
static_assert(CInterface::to_c(PoolError::kExhausted) == SPILLWAY_POOL_EXHAUSTED);
static_assert(CInterface::to_c(PoolError::kNoMemory) == SPILLWAY_POOL_NO_MEMORY);

}  // namespace spillway::pool
