// SPDX-License-Identifier: MIT
// The C interface's part for tenants, regions and statistics.
#include <cstdint>
#include <string>
#include <vector>

#include "alloc/pool/c_interface.h"
#include "alloc/pool/core.h"
#include "alloc/pool/tenants.h"

using namespace spillway::pool;  // NOLINT(google-build-using-namespace)

extern "C" {

// --- tenants -------------------------------------------------------------------------------------

spillway_pool_error spillway_pool_tenant_create(spillway_pool* pool, const char* name,
                                                spillway_pool_tenant** tenant) {
  *tenant = nullptr;
  return without_exceptions([=] {
    *tenant = CInterface::to_c(pool->pool.tenant(name));
    return SPILLWAY_POOL_OK;
  });
}

void spillway_pool_tenant_set_limit(spillway_pool_tenant* tenant, uint64_t bytes) {
  CInterface::record(tenant).set_soft_limit(bytes);
}

void spillway_pool_tenant_charge(spillway_pool_tenant* tenant, uint64_t bytes) {
  CInterface::from_c(tenant).record_allocation(bytes);
}

void spillway_pool_tenant_discharge(spillway_pool_tenant* tenant, uint64_t bytes) {
  CInterface::from_c(tenant).record_release(bytes);
}

void spillway_pool_tenant_read(const spillway_pool_tenant* tenant,
                               spillway_pool_tenant_usage* usage, size_t size) {
  const TenantRecord& record = CInterface::record(tenant);
  const TenantRecord::Figures now = record.figures();
  fill_in(usage, size, {record.name.c_str(), now.live, now.soft_limit, now.exceeded});
}

spillway_pool_error spillway_pool_on_tenant_limit(spillway_pool* pool,
                                                  spillway_pool_tenant_callback callback,
                                                  void* context) {
  return without_exceptions([=] {
    Tenants& tenants = CInterface::core(pool).tenants();
    if (callback == nullptr) {
      tenants.set_callback({});
    } else {
      tenants.set_callback([=](const TenantRecord& record) {
        const TenantRecord::Figures now = record.figures();
        callback(record.name.c_str(), now.live, now.soft_limit, context);
      });
    }
    return SPILLWAY_POOL_OK;
  });
}

// --- regions -------------------------------------------------------------------------------------

size_t spillway_pool_regions(const spillway_pool* pool, iovec* regions, size_t count) {
  size_t there = 0;
  static_cast<void>(without_exceptions([&] {
    const std::vector<spillway::Region> all = pool->pool.regions();
    for (; there < all.size(); ++there) {
      if (there < count) {
        regions[there] = {all[there].base, all[there].length};
      }
    }
    return SPILLWAY_POOL_OK;
  }));
  return there;
}

int spillway_pool_locate(const spillway_pool* pool, const void* pointer, size_t* offset) {
  const auto place = pool->pool.locate(pointer);
  if (!place) {
    return -1;
  }
  if (offset != nullptr) {
    *offset = place->offset;
  }
  return static_cast<int>(place->id);
}

spillway_pool_error spillway_pool_on_region(spillway_pool* pool,
                                            spillway_pool_region_callback callback, void* context) {
  return without_exceptions([=] {
    if (callback == nullptr) {
      pool->pool.on_region({});
    } else {
      pool->pool.on_region([=](const spillway::Region& region) {
        const iovec memory{region.base, region.length};
        callback(region.id, &memory, context);
      });
    }
    return SPILLWAY_POOL_OK;
  });
}

// --- statistics ----------------------------------------------------------------------------------

spillway_pool_error spillway_pool_read_statistics(const spillway_pool* pool,
                                                  spillway_pool_statistics* statistics,
                                                  size_t size) {
  fill_in(statistics, size, {});
  return without_exceptions([=] {
    const spillway::PoolStatistics all = pool->pool.statistics();
    fill_in(statistics, size,
            {all.allocations, all.recycles, all.misses, all.oversized, all.unpooled, all.live_bytes,
             all.classes.size()});
    return SPILLWAY_POOL_OK;
  });
}

spillway_pool_error spillway_pool_read_class(const spillway_pool* pool, size_t index,
                                             spillway_pool_class_statistics* statistics,
                                             size_t size) {
  fill_in(statistics, size, {});
  const std::vector<std::string>& names = pool->pool.config().class_names;
  if (index >= names.size()) {
    return SPILLWAY_POOL_INVALID;
  }
  const spillway::PoolClassStatistics one = CInterface::core(pool).class_statistics(index);
  fill_in(statistics, size,
          {names[index].c_str(), one.size, one.allocations, one.created, one.hits, one.exhausted,
           one.live, one.cached, one.free});
  return SPILLWAY_POOL_OK;
}

size_t spillway_pool_prometheus(const spillway_pool* pool, char* text, size_t size) {
  size_t length = 0;
  const spillway_pool_error error = without_exceptions([&] {
    const std::string all = pool->pool.statistics().prometheus();
    length = all.size();
    if (size != 0) {
      text[all.copy(text, size - 1)] = '\0';
    }
    return SPILLWAY_POOL_OK;
  });
  if (error != SPILLWAY_POOL_OK && size != 0) {
    text[0] = '\0';
  }
  return length;
}

}  // extern "C"
