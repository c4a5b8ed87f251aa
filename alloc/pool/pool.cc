// SPDX-License-Identifier: MIT
#include "spillway/pool.h"

#include <new>

#include "alloc/pool/core.h"

namespace spillway {

const char* SPILLWAY_ABI::name_of(PoolError error) noexcept {
  switch (error) {
    case PoolError::kOversized:
      return "oversized";
    case PoolError::kExhausted:
      return "exhausted";
    case PoolError::kNoMemory:
      return "no memory";
  }
  return "unknown";
}

expected<Pool, std::string> Pool::create(const PoolConfig& config) {
  auto core = pool::Core::create(config);
  if (!core) {
    return unexpected(std::move(core.error()));
  }
  return Pool(*core);
}

Pool::~Pool() {
  if (core_ != nullptr) {
    core_->close();
  }
}

Buffer Pool::alloc(size_t size, Tenant tenant) noexcept {
  return core_->make({.size = size, .tenant = tenant.record_, .empty = true});
}

Buffer Pool::alloc_len(size_t size, Tenant tenant) noexcept {
  return core_->make({.size = size, .tenant = tenant.record_});
}

Buffer Pool::alloc_zeroed(size_t size, Tenant tenant) noexcept {
  return core_->make({.size = size, .tenant = tenant.record_, .zeroed = true});
}

Buffer Pool::acquire(size_t size, Tenant tenant) noexcept {
  return core_->make({.size = size, .tenant = tenant.record_, .zeroed = true, .whole_class = true});
}

expected<Buffer, PoolError> Pool::try_alloc(size_t size, Tenant tenant) noexcept {
  return core_->try_make({.size = size, .tenant = tenant.record_, .empty = true});
}

expected<Buffer, PoolError> Pool::try_alloc_len(size_t size, Tenant tenant) noexcept {
  return core_->try_make({.size = size, .tenant = tenant.record_});
}

expected<Buffer, PoolError> Pool::try_alloc_zeroed(size_t size, Tenant tenant) noexcept {
  return core_->try_make({.size = size, .tenant = tenant.record_, .zeroed = true});
}

void Pool::flush() noexcept { core_->flush(); }

size_t Pool::purge() noexcept { return core_->purge(); }

Tenant Pool::tenant(std::string_view name) { return Tenant(&core_->tenants().find_or_make(name)); }

void Pool::set_tenant_soft_limit(std::string_view name, uint64_t bytes) {
  core_->tenants().set_soft_limit(name, bytes);
}

void Pool::on_tenant_limit(std::function<void(const TenantUsage&)> callback) {
  if (callback == nullptr) {
    core_->tenants().set_callback({});
    return;
  }
  core_->tenants().set_callback([callback = std::move(callback)](const pool::TenantRecord& record) {
    const pool::TenantRecord::Figures now = record.figures();
    TenantUsage usage{{}, now.live, now.soft_limit, now.exceeded};
    try {
      usage.name = record.name;
    } catch (const std::bad_alloc&) {  // the figures are worth telling without
    }
    callback(usage);
  });
}

std::vector<Region> Pool::regions() const { return core_->regions().all(); }

std::optional<RegionOffset> Pool::locate(const void* pointer) const noexcept {
  return core_->config().pinned ? core_->regions().locate(pointer) : std::nullopt;
}

void Pool::on_region(std::function<void(const Region&)> callback) {
  core_->regions().set_callback(std::move(callback));
}

PoolStatistics Pool::statistics() const { return core_->statistics(); }

const PoolConfig& Pool::config() const noexcept { return core_->config(); }

}  // namespace spillway
