// The option tenant_limits: soft limits of tenants by name (heap/tenants.h).
#pragma once

namespace spillway::heap {

// Makes the tenants that the option names. Once, before the first block is handed out.
void configure_tenants();

}  // namespace spillway::heap
