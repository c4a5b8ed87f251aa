// SPDX-License-Identifier: MIT
// Accounts of tenants for mimalloc's blocks, and how tests come by such blocks.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/tenants.h"

namespace spillway::mimalloc::testing {

inline constexpr size_t kTenants = 256;
inline std::atomic<int64_t> bytes[kTenants];
inline std::atomic<int64_t> blocks[kTenants];
inline std::atomic<int64_t> uncharged;

inline void charge(uint8_t tenant, size_t size) {
  bytes[tenant] += static_cast<int64_t>(size);
  ++blocks[tenant];
}
inline void credit(uint8_t tenant, size_t size) {
  bytes[tenant] -= static_cast<int64_t>(size);
  --blocks[tenant];
}
inline constexpr TenantAccounts kAccounts{
    .charge = charge, .credit = credit, .note_uncharged = [](uint8_t) { ++uncharged; }};

inline int64_t usable(const void* block) { return static_cast<int64_t>(usable_size(block)); }

inline void require_nothing_charged() {
  for (size_t tenant = 0; tenant < kTenants; ++tenant) {
    BOOST_TEST_REQUIRE(bytes[tenant] == 0);
    BOOST_TEST_REQUIRE(blocks[tenant] == 0);
  }
}

// The calling thread is in no tenant, and none is charged, before and after.
struct TenantsFixture {
  TenantsFixture() {
    keep_accounts(&kAccounts);
    require_nothing_charged();
  }
  ~TenantsFixture() {
    BOOST_TEST(enter_tenant(0));
    require_nothing_charged();
  }
  TenantsFixture(const TenantsFixture&) = delete;
  TenantsFixture& operator=(const TenantsFixture&) = delete;
};

inline std::vector<void*> allocate_many(size_t size, size_t count) {
  std::vector<void*> made;
  for (size_t i = 0; i < count; ++i) {
    made.push_back(allocate(size));
  }
  return made;
}

inline void free_all(const std::vector<void*>& all) {
  for (void* block : all) {
    mimalloc::free(block);
  }
}

// In a thread that ends in the tenant.
inline std::vector<void*> allocate_by_thread(uint8_t tenant, size_t size, size_t count) {
  std::vector<void*> made;
  std::thread([&] {
    enter_tenant(tenant);
    made = allocate_many(size, count);
  }).join();
  return made;
}

}  // namespace spillway::mimalloc::testing
