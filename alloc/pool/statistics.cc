// SPDX-License-Identifier: MIT
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "alloc/stats/exposition.h"
#include "spillway/pool_statistics.h"

namespace spillway {
namespace {

constexpr std::string_view kPrefix = "spillway_pool_";
constexpr stats::Kind kCounter = stats::Kind::kCounter;
constexpr stats::Kind kGauge = stats::Kind::kGauge;

struct Metric {
  stats::Spec spec;
  // Its type decides the labels: none, a class or a tenant.
  std::variant<uint64_t PoolStatistics::*, uint64_t PoolClassStatistics::*,
               uint64_t (PoolClassStatistics::*)() const, uint64_t TenantUsage::*>
      value;
};

// THE table of a pool's metrics. None has the name of one of the process
// (alloc/stats/statistics.h): both may be served together.
using Class = PoolClassStatistics;
constexpr Metric kMetrics[] = {
    {{"allocations_total", kCounter, "buffers handed out"}, &PoolStatistics::allocations},
    {{"recycles_total", kCounter, "of these, with memory of a returned buffer"},
     &PoolStatistics::recycles},
    {{"misses_total", kCounter, "of these, all others"}, &PoolStatistics::misses},
    {{"oversized_total", kCounter, "requests larger than the largest class"},
     &PoolStatistics::oversized},
    {{"unpooled_total", kCounter, "buffers of exactly the size asked, outside all classes"},
     &PoolStatistics::unpooled},
    {{"tenants_live_bytes", kGauge, "memory that all tenants hold"}, &PoolStatistics::live_bytes},

    {{"class_size_bytes", kGauge, "size of a buffer"}, &Class::size},
    {{"class_allocations_total", kCounter, "buffers of the class handed out"}, &Class::allocations},
    {{"class_created_total", kCounter, "of these, with memory that was fresh"}, &Class::created},
    {{"class_hits_total", kCounter, "of these, with memory of a returned buffer"}, &Class::hits},
    {{"class_exhausted_total", kCounter, "requests that found no free buffer"}, &Class::exhausted},
    {{"class_misses_total", kCounter, "created and exhausted together"}, &Class::misses},
    {{"class_live", kGauge, "buffers in use"}, &Class::live},
    {{"class_cached", kGauge, "buffers in thread caches"}, &Class::cached},
    {{"class_free", kGauge, "buffers free for all threads"}, &Class::free},

    {{"tenant_live_bytes", kGauge, "memory that the tenant holds"}, &TenantUsage::live_bytes},
    {{"tenant_soft_limit_bytes", kGauge, "memory that the tenant should stay below"},
     &TenantUsage::soft_limit_bytes},
    {{"soft_limit_exceeded_total", kCounter, "allocations made while over the soft limit"},
     &TenantUsage::soft_limit_exceeded_total},
};

// A Line without an end.
class Text {
 public:
  explicit Text(std::string& all) : all_(all) {}
  Text& text(std::string_view piece) {
    all_.append(piece);
    return *this;
  }
  Text& put(char c) {
    all_.push_back(c);
    return *this;
  }
  Text& number(uint64_t value) { return text(std::to_string(value)); }

 private:
  std::string& all_;
};

void put_labels(Text& /*text*/, const PoolStatistics& /*all*/) {}
void put_labels(Text& text, const PoolClassStatistics& one) {
  stats::put_label(text.text("{class=\""), one.name);
  text.text("\"}");
}
void put_labels(Text& text, const TenantUsage& one) {
  stats::put_label(text.text("{tenant_id=\""), one.name);
  text.text("\"}");
}

void put_metric(Text& text, const Metric& metric, const PoolStatistics& statistics) {
  stats::put_description(text, kPrefix, metric.spec);
  const auto put_sample = [&](const auto& one, auto member) {
    put_labels(text.text(kPrefix).text(metric.spec.name), one);
    text.put(' ').number(std::invoke(member, one)).put('\n');
  };
  const auto put_samples = [&](const auto& ones, auto member) {
    for (const auto& one : ones) {
      put_sample(one, member);
    }
  };
  const auto put_all = [&](auto member) {
    if constexpr (std::is_invocable_v<decltype(member), const PoolStatistics&>) {
      put_sample(statistics, member);
    } else if constexpr (std::is_invocable_v<decltype(member), const TenantUsage&>) {
      put_samples(statistics.tenants, member);
    } else {
      put_samples(statistics.classes, member);
    }
  };
  std::visit(put_all, metric.value);
}

}  // namespace

double PoolStatistics::recycle_rate() const {
  return allocations == 0 ? 0.0 : static_cast<double>(recycles) / static_cast<double>(allocations);
}

std::string PoolStatistics::prometheus() const {
  std::string all;
  Text text(all);
  for (const Metric& metric : kMetrics) {
    put_metric(text, metric, *this);
  }
  return all;
}

}  // namespace spillway
