// SPDX-License-Identifier: MIT
// Soft limits of tenants as text, NAME=SIZE: the option tenant_limits, and the tools' command
// (heap/tenants.h).
#pragma once

#include <cstdint>
#include <string_view>

namespace spillway::heap {

// Makes the tenants that the option names. Once, before the first block is handed out.
void configure_tenants();

enum class LimitText : uint8_t { kDone, kWrong, kTooMany };
// Sets the limit of one tenant, which is made if there is none, as "cache=64M" says; "cache=none"
// takes it away.
LimitText set_tenant_limit_as(std::string_view text);

}  // namespace spillway::heap
