// SPDX-License-Identifier: MIT
// What the C interface (spillway/pool_c.h) is made of: c_config.cc, c_buffers.cc and
// c_observe.cc, whose functions are a line or two over the C++ ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "spillway/pool_c.h"

// Behind the opaque pointer.
struct spillway_pool {
  spillway::Pool pool;
  std::vector<std::string> class_names;  // for as long as it lives
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

// Between C's handles and C++'s.
struct CInterface {
  static Tenant tenant(spillway_pool_tenant* from) noexcept {
    return Tenant(reinterpret_cast<TenantRecord*>(from));
  }
  static spillway_pool_tenant* tenant(const Tenant& from) noexcept {
    return reinterpret_cast<spillway_pool_tenant*>(from.record_);
  }
  static TenantRecord& record(spillway_pool_tenant* from) noexcept {
    return *reinterpret_cast<TenantRecord*>(from);
  }
  static const TenantRecord& record(const spillway_pool_tenant* from) noexcept {
    return *reinterpret_cast<const TenantRecord*>(from);
  }

  static Core& core(spillway_pool* from) noexcept { return *from->pool.core_; }
  static const Core& core(const spillway_pool* from) noexcept { return *from->pool.core_; }

  // The owner that `from` is; only one of the two may be let go.
  static SharedBuffer owner(const spillway_pool_shared& from) noexcept {
    return SharedBuffer({static_cast<Core*>(from.owner), static_cast<std::byte*>(from.start)},
                        static_cast<const std::byte*>(from.data), from.length);
  }
  static spillway_pool_shared owner(SharedBuffer&& from) noexcept {
    const spillway_pool_shared to{from.data_, from.size_, from.block_.start, from.block_.core};
    from.block_ = {};
    return to;
  }
};

}  // namespace spillway::pool
