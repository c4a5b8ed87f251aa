// SPDX-License-Identifier: MIT
#include "alloc/pool/tenants.h"

#include <utility>

namespace spillway {

void Tenant::record_allocation(uint64_t bytes) const noexcept {
  if (record_ != nullptr) {
    record_->add(bytes);
  }
}

void Tenant::record_release(uint64_t bytes) const noexcept {
  if (record_ != nullptr) {
    record_->remove(bytes);
  }
}

uint64_t Tenant::live_bytes() const noexcept {
  return record_ != nullptr ? record_->live.load(std::memory_order_relaxed) : 0;
}

TenantUsage Tenant::usage() const { return record_ != nullptr ? record_->usage() : TenantUsage{}; }

namespace pool {

TenantUsage TenantRecord::usage() const {
  const Figures now = figures();
  return {name, now.live, now.soft_limit, now.exceeded};
}

// What others see until then is as small as a wrapped sum.
uint64_t TenantRecord::saturate() {
  live.store(UINT64_MAX, std::memory_order_relaxed);
  return UINT64_MAX;
}

void TenantRecord::exceed(bool crossed) {
  exceeded.fetch_add(1, std::memory_order_relaxed);
  if (crossed) {
    tenants.tell(*this);
  }
}

TenantRecord& Tenants::find_or_make(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    return *found->second;
  }
  TenantRecord& made = records_.emplace_back(*this, name, default_limit_);
  try {
    by_name_.emplace(made.name, &made);
  } catch (...) {
    records_.pop_back();
    throw;
  }
  return made;
}

void Tenants::set_soft_limit(std::string_view name, uint64_t bytes) {
  find_or_make(name).set_soft_limit(bytes);
}

void Tenants::set_callback(Callback callback) {
  auto shared = callback ? std::make_shared<const Callback>(std::move(callback)) : nullptr;
  const std::lock_guard lock(mutex_);
  callback_.swap(shared);
}

void Tenants::tell(const TenantRecord& record) const {
  std::shared_ptr<const Callback> callback;
  {
    const std::lock_guard lock(mutex_);
    callback = callback_;
  }
  if (callback != nullptr) {
    (*callback)(record);
  }
}

std::vector<TenantUsage> Tenants::usages() const {
  const std::lock_guard lock(mutex_);
  std::vector<TenantUsage> all;
  all.reserve(records_.size());
  for (const TenantRecord& record : records_) {
    all.push_back(record.usage());
  }
  return all;
}

}  // namespace pool
}  // namespace spillway
