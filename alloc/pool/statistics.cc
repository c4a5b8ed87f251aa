// SPDX-License-Identifier: MIT
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "spillway/pool_statistics.h"

namespace spillway {
namespace {

constexpr std::string_view kPrefix = "spillway_pool_";
constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

struct Metric {
  std::string_view name;
  std::string_view kind;
  std::string_view help;
  // What it is read from decides the labels: none, a class or a tenant.
  std::variant<uint64_t PoolStatistics::*, uint64_t PoolClassStatistics::*,
               uint64_t (PoolClassStatistics::*)() const, uint64_t TenantUsage::*>
      value;
};

// THE table of a pool's metrics. None has the name of one of the process
// (alloc/stats/statistics.h): both may be served together.
using Class = PoolClassStatistics;
constexpr Metric kMetrics[] = {
    {"allocations_total", kCounter, "buffers handed out", &PoolStatistics::allocations},
    {"recycles_total", kCounter, "of these, with memory of a returned buffer",
     &PoolStatistics::recycles},
    {"misses_total", kCounter, "of these, all others", &PoolStatistics::misses},
    {"oversized_total", kCounter, "requests larger than the largest class",
     &PoolStatistics::oversized},
    {"unpooled_total", kCounter, "buffers of exactly the size asked, outside all classes",
     &PoolStatistics::unpooled},
    {"tenants_live_bytes", kGauge, "memory that all tenants hold", &PoolStatistics::live_bytes},

    {"class_size_bytes", kGauge, "size of a buffer", &Class::size},
    {"class_allocations_total", kCounter, "buffers of the class handed out", &Class::allocations},
    {"class_created_total", kCounter, "of these, with memory that was fresh", &Class::created},
    {"class_hits_total", kCounter, "of these, with memory of a returned buffer", &Class::hits},
    {"class_exhausted_total", kCounter, "requests that found no free buffer", &Class::exhausted},
    {"class_misses_total", kCounter, "created and exhausted together", &Class::misses},
    {"class_live", kGauge, "buffers in use", &Class::live},
    {"class_cached", kGauge, "buffers in thread caches", &Class::cached},
    {"class_free", kGauge, "buffers free for all threads", &Class::free},

    {"tenant_live_bytes", kGauge, "memory that the tenant holds", &TenantUsage::live_bytes},
    {"tenant_soft_limit_bytes", kGauge, "what the tenant should hold at most",
     &TenantUsage::soft_limit_bytes},
    {"soft_limit_exceeded_total", kCounter, "allocations made while over the soft limit",
     &TenantUsage::soft_limit_exceeded_total},
};

// A label's value as the format wants it between quotes.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') {
      text += '\\';
    }
    text += c;
  }
  return text;
}

// `label` has its braces, or is empty.
void add_sample(std::string& text, const Metric& metric, std::string_view label, uint64_t value) {
  text.append(kPrefix).append(metric.name).append(label);
  text.append(" ").append(std::to_string(value)).append("\n");
}

std::string label_of(const PoolClassStatistics& one) {
  return "{class=\"" + escaped(one.name) + "\"}";
}
std::string label_of(const TenantUsage& one) { return "{tenant_id=\"" + escaped(one.name) + "\"}"; }

void add_metric(std::string& text, const Metric& metric, const PoolStatistics& statistics) {
  text.append("# HELP ").append(kPrefix).append(metric.name).append(" ").append(metric.help);
  text.append("\n# TYPE ").append(kPrefix).append(metric.name).append(" ").append(metric.kind);
  text.append("\n");
  const auto add_samples = [&](const auto& ones, auto member) {
    for (const auto& one : ones) {
      add_sample(text, metric, label_of(one), std::invoke(member, one));
    }
  };
  const auto add_all = [&](auto member) {
    if constexpr (std::is_invocable_v<decltype(member), const PoolStatistics&>) {
      add_sample(text, metric, "", statistics.*member);
    } else if constexpr (std::is_invocable_v<decltype(member), const TenantUsage&>) {
      add_samples(statistics.tenants, member);
    } else {
      add_samples(statistics.classes, member);
    }
  };
  std::visit(add_all, metric.value);
}

}  // namespace

double PoolStatistics::recycle_rate() const {
  return allocations == 0 ? 0.0 : static_cast<double>(recycles) / static_cast<double>(allocations);
}

std::string PoolStatistics::prometheus() const {
  std::string text;
  for (const Metric& metric : kMetrics) {
    add_metric(text, metric, *this);
  }
  return text;
}

}  // namespace spillway
