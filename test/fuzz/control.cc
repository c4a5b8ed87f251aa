// SPDX-License-Identifier: MIT
// The control page: the input is what a tool wrote there. What is taken as a request is short,
// printable, and what its checksum says; all else is answered in one line, or left alone.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "alloc/base/attributes.h"
#include "alloc/control/entry.h"
#include "alloc/control/mailbox.h"
#include "test/fuzz/require.h"

// What the library's note and entry refer to.
SPILLWAY_OWN_PAGES constinit spillway::control::Page spillway_control_page{};
constinit spillway::control::Gate spillway_control_gate{};
extern "C" void spillway_control_woken() {}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using spillway::control::Page;
  const auto page = std::make_unique<Page>();
  spillway::control::Mailbox mailbox(*page);
  constexpr size_t kTools = offsetof(Page, looks);
  // Pieces of up to a page half, one after the other over the same page.
  for (size_t at = 0; at < size; at += kTools) {
    std::memcpy(static_cast<void*>(page.get()), data + at, std::min(kTools, size - at));
    if (page->request_id % 2 == 0) {  // random checksums are never right
      page->request_check =
          spillway::control::checksum(page->request_id, page->request,
                                      std::min<size_t>(page->request_length, Page::kMaxRequest));
    }
    const uint64_t answered = page->answered_id;
    std::string_view request;
    if (mailbox.take(request)) {
      FUZZ_REQUIRE(request.size() == page->request_length);
      FUZZ_REQUIRE(request.size() <= Page::kMaxRequest);
      for (const char c : request) {
        FUZZ_REQUIRE(c >= ' ' && c <= '~');
      }
      mailbox.answer(request);
      FUZZ_REQUIRE(page->answered_id == page->request_id && page->answer_is_error == 0);
    } else if (page->answered_id != answered) {
      FUZZ_REQUIRE(page->answer_is_error == 1 && page->answer_length <= Page::kMaxError);
    }
  }
  return 0;
}
