// SPDX-License-Identifier: MIT
#include "alloc/heap/tenant_limits.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>

#include "alloc/base/text.h"
#include "alloc/config/option_text.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenants.h"
#include "alloc/os/message.h"

namespace spillway::heap {

LimitText set_tenant_limit_as(std::string_view text) {
  constexpr config::OptionSpec kLimit{
      "", config::OptionType::kBytes, 0, 1, int64_t{1} << 50, "none", ""};
  std::string_view size = text;
  const std::string_view name = take_until(size, '=');
  const std::optional<int64_t> value = config::parse_value(kLimit, size);
  if (!value) {
    return LimitText::kWrong;
  }
  const uint64_t limit = *value == config::kWordValue ? kNoLimit : static_cast<uint64_t>(*value);
  const int tenant = create_tenant(name, limit);
  if (tenant < 0) {
    return tenant == -ENOSPC ? LimitText::kTooMany : LimitText::kWrong;
  }
  set_tenant_limit(tenant, limit);  // of one that there was already
  return LimitText::kDone;
}

void configure_tenants() {
  std::string_view list = options().text(config::Option::tenant_limits);
  while (!list.empty()) {
    std::string_view part = take_until(list, ',');
    while (!part.empty()) {
      const std::string_view entry = take_until(part, '+');
      // The option has no room for so many that there would be too many.
      if (!entry.empty() && entry != "none" && set_tenant_limit_as(entry) != LimitText::kDone) {
        os::Message message;
        message.line().text("option tenant_limits: ").quoted(entry);
        message.line().text(" is not NAME=SIZE, as cache=64M");
        message.send();
      }
    }
  }
}

}  // namespace spillway::heap
