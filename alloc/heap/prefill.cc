// SPDX-License-Identifier: MIT
#include "alloc/heap/prefill.h"

#include <optional>
#include <string_view>

#include "alloc/base/text.h"
#include "alloc/config/option_text.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/os/message.h"
#include "alloc/os/touch.h"

namespace spillway::heap {
namespace {

struct Entry {
  size_t size;
  size_t count;
};

// SIZE:COUNT with a size of the pooled window.
std::optional<Entry> parse(std::string_view text) {
  constexpr config::OptionSpec kSize{
      "", config::OptionType::kBytes, 0, config::kMinPooledSize, config::kMaxPooledSize, "", ""};
  constexpr config::OptionSpec kCount{"", config::OptionType::kNumber, 0, 1, 1 << 20, "", ""};
  const std::string_view size_text = take_until(text, ':');
  const std::optional<int64_t> size = config::parse_value(kSize, size_text);
  const std::optional<int64_t> count = config::parse_value(kCount, text);
  if (!size || !count) {
    return std::nullopt;
  }
  return Entry{static_cast<size_t>(*size), static_cast<size_t>(*count)};
}

// Blocks are held in a chain through their first words until all are resident: freed ones would
// serve the next entry.
struct Link {
  Link* next;
};

uint64_t fill(const Entry& entry, Link*& chain) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < entry.count; ++i) {
    void* block = take_pooled_slow(entry.size);
    if (block == nullptr) {
      break;
    }
    mark_live(block);
    os::touch_pages(block, entry.size);
    chain = ::new (block) Link{chain};
    bytes += entry.size;
  }
  return bytes;
}

}  // namespace

void prefill() {
  std::string_view list = options().text(config::Option::prefill);
  Link* chain = nullptr;
  uint64_t bytes = 0;
  while (!list.empty()) {
    std::string_view part = take_until(list, ',');
    while (!part.empty()) {
      const std::string_view text = take_until(part, '+');
      const std::optional<Entry> entry = parse(text);
      if (entry) {
        bytes += fill(*entry, chain);
      } else if (text != "none") {
        os::Message message;
        message.line().text("option prefill: ").quoted(text).text(" is not SIZE:COUNT, as 64K:32");
        message.send();
      }
    }
  }
  // First: the scavenger may run as soon as they are free.
  scavenger.keep_at_least(bytes);
  while (chain != nullptr) {
    Link* next = chain->next;
    free(chain);
    chain = next;
  }
  if (bytes != 0) {
    heap.engine.flush(thread_state);
  }
}

}  // namespace spillway::heap
