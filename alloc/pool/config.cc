// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/os/os.h"
#include "alloc/pool/classes.h"
#include "spillway/pool_config.h"

namespace spillway {
namespace {

constexpr size_t kMaxPoolClasses = 63;
static_assert(kMaxPoolClasses < kMaxClasses);
// No region is longer, and no buffer crosses one's end.
constexpr size_t kMaxClassSize = kGiB;
// Divider, which tells a buffer from its address, divides by less.
constexpr size_t kUnitsEnd = 65536;
constexpr size_t kMaxAlignment = 2 * kMiB;
// Of the buffers of one class: far above any machine's, so that nothing below overflows.
constexpr size_t kMaxClassBytes = size_t{1} << 46;
// The number of a unit has 32 bits; slots are counted with a bit to spare.
constexpr size_t kMaxUnits = std::numeric_limits<uint32_t>::max();
constexpr size_t kMaxBuffers = std::numeric_limits<uint32_t>::max() / 2;

template <typename Value>
PoolConfig changed(PoolConfig config, Value PoolConfig::*member,
                   std::type_identity_t<Value> value) {
  config.*member = std::move(value);
  return config;
}

using Complaint = std::optional<std::string>;

struct Quantity {
  std::string_view name;  // may be empty
  size_t value;

  std::string text() const {
    return (name.empty() ? "" : std::string(name) + ' ') + std::to_string(value);
  }
};

Complaint power_of_two(const Quantity& quantity) {
  if (is_power_of_two(quantity.value)) {
    return {};
  }
  return quantity.text() + " is not a power of two";
}

Complaint at_least(const Quantity& quantity, const Quantity& min) {
  if (quantity.value >= min.value) {
    return {};
  }
  return quantity.text() + " is less than " + min.text();
}

Complaint at_most(const Quantity& quantity, const Quantity& max) {
  if (quantity.value <= max.value) {
    return {};
  }
  return quantity.text() + " is more than " + max.text();
}

Complaint first_of(std::initializer_list<Complaint> complaints) {
  for (const Complaint& complaint : complaints) {
    if (complaint) {
      return complaint;
    }
  }
  return {};
}

Complaint check_range(const PoolConfig& config) {
  const Quantity min{"min_size", config.min_size};
  const Quantity max{"max_size", config.max_size};
  return first_of({power_of_two(min), power_of_two(max),
                   at_least(min, {"alignment", config.alignment}), at_least(max, min)});
}

// Alignment must not be 0.
Complaint check_list(const std::vector<size_t>& sizes, size_t alignment) {
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (i > 0 && sizes[i] <= sizes[i - 1]) {
      return "class_sizes do not ascend: " + std::to_string(sizes[i]) + " follows " +
             std::to_string(sizes[i - 1]);
    }
    if (sizes[i] % alignment != 0) {
      return "class size " + std::to_string(sizes[i]) + " is no multiple of alignment " +
             std::to_string(alignment);
    }
  }
  return first_of({at_least({"smallest class", sizes.front()}, {"", 1}),
                   at_most({"number of classes", sizes.size()}, {"", kMaxPoolClasses})});
}

// Sizes must not be 0.
Complaint check_largest(const std::vector<size_t>& sizes) {
  const Quantity largest{"largest class", sizes.back()};
  if (Complaint wrong = at_most(largest, {"", kMaxClassSize})) {
    return wrong;
  }
  const size_t unit = pool::unit_of(sizes);
  if (largest.value / unit >= kUnitsEnd) {
    return largest.text() + " is not less than " + std::to_string(kUnitsEnd) + " units of " +
           std::to_string(unit);
  }
  return {};
}

// Whether there are addresses and numbers for all buffers. Sizes must not be 0.
Complaint check_space(const std::vector<size_t>& sizes, size_t max_per_class) {
  const Quantity max{"max_per_class", max_per_class};
  if (max_per_class > kMaxClassBytes / sizes.back()) {
    return max.text() + " times the largest class, " + std::to_string(sizes.back()) +
           " bytes, is more than 64 TiB";
  }
  const size_t unit = pool::unit_of(sizes);
  if (max_per_class > kMaxBuffers ||
      pool::span_of(max_per_class, sizes.back()) * sizes.size() / unit > kMaxUnits) {
    return max.text() + " is too much for a smallest unit of " + std::to_string(unit) + " bytes";
  }
  return {};
}

// Stays in one line whatever it holds.
std::string quoted(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < ' '; }, '?');
  return '"' + name + '"';
}

Complaint check_names(const std::vector<std::string>& names, size_t classes) {
  if (names.empty()) {
    return {};
  }
  if (names.size() != classes) {
    return "number of class_names " + std::to_string(names.size()) +
           " is not the number of classes " + std::to_string(classes);
  }
  for (size_t second = 1; second < names.size(); ++second) {
    for (size_t first = 0; first < second; ++first) {
      if (names[first] == names[second]) {
        return "classes " + std::to_string(first) + " and " + std::to_string(second) +
               " have the same name " + quoted(names[first]);
      }
    }
  }
  return {};
}

}  // namespace

PoolConfig PoolConfig::page_buffers(size_t buffers) {
  return PoolConfig()
      .with_sizes(4 * kKiB, kMiB)
      .with_alignment(4 * kKiB)
      .with_max_per_class(buffers);
}

PoolConfig PoolConfig::tiered() {
  return PoolConfig().with_classes({std::begin(pool::kTieredSizes), std::end(pool::kTieredSizes)},
                                   {std::begin(pool::kTieredNames), std::end(pool::kTieredNames)});
}

PoolConfig PoolConfig::network() {
  return PoolConfig().with_sizes(kKiB, 128 * kKiB).with_max_per_class(4096);
}

PoolConfig PoolConfig::storage() {
  const size_t page = os::page_size();
  return PoolConfig().with_sizes(page, 8 * kMiB).with_alignment(page).with_max_per_class(64);
}

PoolConfig PoolConfig::with_sizes(size_t min, size_t max) const {
  PoolConfig config = with_classes({});
  config.min_size = min;
  config.max_size = max;
  return config;
}

PoolConfig PoolConfig::with_classes(std::vector<size_t> list,
                                    std::vector<std::string> names) const {
  PoolConfig config = *this;
  config.class_sizes = std::move(list);
  config.class_names = std::move(names);
  return config;
}

PoolConfig PoolConfig::with_pool_min_size(size_t bytes) const {
  return changed(*this, &PoolConfig::pool_min_size, bytes);
}

PoolConfig PoolConfig::with_max_per_class(size_t buffers) const {
  return changed(*this, &PoolConfig::max_per_class, buffers);
}

PoolConfig PoolConfig::with_budget(uint64_t bytes) const {
  uint64_t one_of_each = 0;
  for (const size_t size : sizes()) {
    one_of_each += std::min<uint64_t>(size, UINT64_MAX - one_of_each);
  }
  if (one_of_each == 0) {
    return *this;  // check() refuses it
  }
  const uint64_t buffers = bytes / one_of_each + (bytes % one_of_each != 0 ? 1 : 0);
  return with_max_per_class(std::max<uint64_t>(buffers, 1));
}

PoolConfig PoolConfig::with_prefill(bool on) const {
  return changed(*this, &PoolConfig::prefill, on);
}

PoolConfig PoolConfig::with_alignment(size_t bytes) const {
  return changed(*this, &PoolConfig::alignment, bytes);
}

PoolConfig PoolConfig::with_parallelism(size_t threads) const {
  return changed(*this, &PoolConfig::parallelism, threads);
}

PoolConfig PoolConfig::with_thread_cache(ThreadCachePolicy policy) const {
  return changed(*this, &PoolConfig::thread_cache, policy);
}

PoolConfig PoolConfig::with_tenant_soft_limit(uint64_t bytes) const {
  return changed(*this, &PoolConfig::tenant_soft_limit, bytes);
}

PoolConfig PoolConfig::with_pinned(bool on) const {
  return changed(*this, &PoolConfig::pinned, on);
}

std::vector<size_t> PoolConfig::sizes() const {
  if (!class_sizes.empty()) {
    return class_sizes;
  }
  std::vector<size_t> powers;
  if (is_power_of_two(min_size) && is_power_of_two(max_size) && min_size <= max_size) {
    powers.push_back(min_size);
    while (powers.back() < max_size) {
      powers.push_back(powers.back() * 2);
    }
  }
  return powers;
}

size_t PoolConfig::thread_cache_buffers() const {
  switch (thread_cache.kind) {
    case ThreadCachePolicy::Kind::kExact:
      return thread_cache.buffers;
    case ThreadCachePolicy::Kind::kDisabled:
      return 0;
    case ThreadCachePolicy::Kind::kAutomatic:
      break;
  }
  const size_t threads = std::min(parallelism, max_per_class);
  return threads == 0 ? 0 : max_per_class / 2 / threads;  // twice the threads could overflow
}

std::optional<std::string> PoolConfig::check() const {
  const Quantity aligned{"alignment", alignment};
  if (Complaint wrong = first_of({power_of_two(aligned), at_most(aligned, {"", kMaxAlignment})})) {
    return wrong;
  }
  if (Complaint wrong =
          class_sizes.empty() ? check_range(*this) : check_list(class_sizes, alignment)) {
    return wrong;
  }
  const std::vector<size_t> all = sizes();
  const Quantity max{"max_per_class", max_per_class};
  const bool exact = thread_cache.kind == ThreadCachePolicy::Kind::kExact;
  return first_of({check_largest(all), check_names(class_names, all.size()),
                   at_most({"pool_min_size", pool_min_size}, {"the smallest class", all.front()}),
                   at_least(max, {"", 1}), at_least({"parallelism", parallelism}, {"", 1}),
                   exact ? at_most({"thread cache", thread_cache.buffers}, max) : std::nullopt,
                   check_space(all, max_per_class)});
}

}  // namespace spillway
