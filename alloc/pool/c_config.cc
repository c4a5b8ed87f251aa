// SPDX-License-Identifier: MIT
// The C interface's part for configurations, a pool's beginning and its end.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "alloc/pool/c_interface.h"
#include "alloc/pool/classes.h"

namespace spillway::pool {
namespace {

using Config = ::spillway_pool_config;

// The first version's: no header has less. Fields that come later mean nothing when they are 0.
constexpr size_t kFirstConfigSize = offsetof(Config, pinned) + sizeof(Config::pinned);

// The preset, but for a list of classes: allocates nothing.
std::optional<PoolConfig> preset_of(spillway_pool_preset preset) {
  switch (preset) {
    case SPILLWAY_POOL_DEFAULT:
    case SPILLWAY_POOL_TIERED:
      return PoolConfig();
    case SPILLWAY_POOL_PAGE_BUFFERS:
      return PoolConfig::page_buffers();
    case SPILLWAY_POOL_NETWORK:
      return PoolConfig::network();
    case SPILLWAY_POOL_STORAGE:
      return PoolConfig::storage();
  }
  return std::nullopt;
}

size_t cache_buffers_of(const ThreadCachePolicy& policy) {
  return policy.kind == ThreadCachePolicy::Kind::kAutomatic ? SPILLWAY_POOL_CACHE_AUTOMATIC
                                                            : policy.buffers;
}

ThreadCachePolicy policy_of(size_t buffers) {
  if (buffers == SPILLWAY_POOL_CACHE_AUTOMATIC) {
    return ThreadCachePolicy::automatic();
  }
  return buffers == 0 ? ThreadCachePolicy::disabled() : ThreadCachePolicy::exact(buffers);
}

// Whether all fields are 0 that this library does not know: those of a newer header.
bool has_known_fields_alone(const Config& config) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&config);
  return std::all_of(bytes + std::min(sizeof(Config), config.struct_size),
                     bytes + config.struct_size, [](unsigned char byte) { return byte == 0; });
}

// The reason to refuse the struct, whatever its values.
std::optional<std::string> check_struct(const Config& config) {
  if (config.struct_size < kFirstConfigSize) {
    return "struct_size " + std::to_string(config.struct_size) +
           ": use spillway_pool_config_init()";
  }
  if (!has_known_fields_alone(config)) {
    return "a field is set that version " + std::to_string(spillway_pool_version()) +
           " of the library does not know";
  }
  if (config.class_count != 0 && config.class_sizes == nullptr) {
    return "class_sizes is null, but class_count is " + std::to_string(config.class_count);
  }
  for (size_t i = 0; config.class_names != nullptr && i < config.class_count; ++i) {
    if (config.class_names[i] == nullptr) {
      return "class_names[" + std::to_string(i) + "] is null";
    }
  }
  return std::nullopt;
}

// `config` passed check_struct().
PoolConfig config_of(const Config& config) {
  PoolConfig made;
  made.min_size = config.min_size;
  made.max_size = config.max_size;
  if (config.class_count != 0) {
    made.class_sizes.assign(config.class_sizes, config.class_sizes + config.class_count);
    if (config.class_names != nullptr) {
      made.class_names.assign(config.class_names, config.class_names + config.class_count);
    }
  }
  made.pool_min_size = config.pool_min_size;
  made.max_per_class = config.max_per_class;
  made.alignment = config.alignment;
  made.parallelism = config.parallelism;
  made.thread_cache = policy_of(config.thread_cache_buffers);
  made.tenant_soft_limit = config.tenant_soft_limit;
  made.prefill = config.prefill != 0;
  made.pinned = config.pinned != 0;
  return made;
}

void say(std::string_view text, char* to, size_t size) {
  if (to != nullptr && size != 0) {
    std::snprintf(to, size, "%.*s", static_cast<int>(text.size()), text.data());
  }
}

spillway_pool_error create(const Config& config, ::spillway_pool** pool, char* why, size_t size) {
  std::optional<std::string> wrong = check_struct(config);
  PoolConfig made;
  if (!wrong) {
    made = config_of(config);
    wrong = made.check();
  }
  if (wrong) {
    say(*wrong, why, size);
    return SPILLWAY_POOL_INVALID;
  }
  std::vector<std::string> names;
  for (const size_t each : made.sizes()) {
    names.push_back(class_name(made, names.size(), each));
  }
  made.class_names = std::move(names);
  auto created = Pool::create(made);
  if (!created) {
    say(created.error(), why, size);
    return SPILLWAY_POOL_NO_MEMORY;
  }
  *pool = new ::spillway_pool{std::move(*created)};
  say("", why, size);
  return SPILLWAY_POOL_OK;
}

}  // namespace
}  // namespace spillway::pool

using namespace spillway::pool;  // NOLINT(google-build-using-namespace)

extern "C" {

int spillway_pool_version(void) { return SPILLWAY_VERSION_NUMBER; }

const char* spillway_pool_error_name(spillway_pool_error error) {
  switch (error) {
    case SPILLWAY_POOL_OK:
      return "ok";
    case SPILLWAY_POOL_INVALID:
      return "invalid argument";
    case SPILLWAY_POOL_SHARED:
      return "shared";
    case SPILLWAY_POOL_OVERSIZED:
    case SPILLWAY_POOL_EXHAUSTED:
    case SPILLWAY_POOL_NO_MEMORY:
      return name_of(CInterface::from_c(error));
  }
  return "unknown";
}

spillway_pool_error spillway_pool_config_init(spillway_pool_config* config, size_t size,
                                              spillway_pool_preset preset) {
  const auto from = preset_of(preset);
  if (!from || size < kFirstConfigSize) {
    return SPILLWAY_POOL_INVALID;
  }
  spillway_pool_config made{};
  made.struct_size = size;
  made.min_size = from->min_size;
  made.max_size = from->max_size;
  if (preset == SPILLWAY_POOL_TIERED) {
    made.class_sizes = kTieredSizes;
    made.class_names = kTieredNames;
    made.class_count = std::size(kTieredSizes);
  }
  made.pool_min_size = from->pool_min_size;
  made.max_per_class = from->max_per_class;
  made.alignment = from->alignment;
  made.parallelism = from->parallelism;
  made.thread_cache_buffers = cache_buffers_of(from->thread_cache);
  made.tenant_soft_limit = from->tenant_soft_limit;
  fill_in(config, size, made);
  return SPILLWAY_POOL_OK;
}

spillway_pool_error spillway_pool_config_set_budget(spillway_pool_config* config, uint64_t bytes) {
  return without_exceptions([&] {
    if (check_struct(*config)) {
      return SPILLWAY_POOL_INVALID;
    }
    const spillway::PoolConfig all = config_of(*config);
    if (all.sizes().empty()) {
      return SPILLWAY_POOL_INVALID;
    }
    config->max_per_class = all.with_budget(bytes).max_per_class;
    return SPILLWAY_POOL_OK;
  });
}

spillway_pool_error spillway_pool_create(const spillway_pool_config* config, spillway_pool** pool,
                                         char* why, size_t why_size) {
  *pool = nullptr;
  say(name_of(spillway::PoolError::kNoMemory), why, why_size);  // should something throw
  return without_exceptions([&] { return create(*config, pool, why, why_size); });
}

void spillway_pool_destroy(spillway_pool* pool) { delete pool; }

void spillway_pool_flush(spillway_pool* pool) { pool->pool.flush(); }

size_t spillway_pool_purge(spillway_pool* pool) { return pool->pool.purge(); }

}  // extern "C"
