#include "alloc/heap/tenant_limits.h"

#include <optional>
#include <string_view>

#include "alloc/base/text.h"
#include "alloc/config/option_text.h"
#include "alloc/heap/start.h"
#include "alloc/heap/tenants.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/message.h"

namespace spillway::heap {
namespace {

// NAME=SIZE.
void configure(std::string_view entry) {
  constexpr config::OptionSpec kLimit{"", config::OptionType::kBytes, 0, 1, int64_t{1} << 50, "",
                                      ""};
  std::string_view size = entry;
  const std::string_view name = take_until(size, '=');
  const std::optional<int64_t> limit = config::parse_value(kLimit, size);
  const int tenant = limit ? create_tenant(name, static_cast<uint64_t>(*limit)) : -1;
  if (tenant > 0) {
    set_tenant_limit(tenant, static_cast<uint64_t>(*limit));  // named twice: the last one
    return;
  }
  os::Message message;
  message.line().text("option tenant_limits: ").quoted(entry);
  message.line().text(" is not NAME=SIZE, as cache=64M");
  message.send();
}

}  // namespace

void configure_tenants() {
  const os::ErrnoKeeper keeper;
  std::string_view list = options().text(config::Option::tenant_limits);
  while (!list.empty()) {
    std::string_view part = take_until(list, ',');
    while (!part.empty()) {
      const std::string_view entry = take_until(part, '+');
      if (entry != "none") {
        configure(entry);
      }
    }
  }
}

}  // namespace spillway::heap
