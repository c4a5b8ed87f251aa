// SPDX-License-Identifier: MIT
#include "alloc/heap/report_space.h"

#include <atomic>
#include <new>

#include "alloc/base/attributes.h"
#include "alloc/os/os.h"

namespace spillway::heap {

// A child that is forked while another thread reports finds it taken for good, and maps its own.
struct ReportSpace::Shared {
  static inline constinit std::atomic<bool> taken{false};
  SPILLWAY_OWN_PAGES static inline unsigned char bytes[sizeof(Room)];
};

ReportSpace::ReportSpace() {
  // acquire: pairs with the release in the destructor; the room's last user is done with it.
  void* const bytes = !Shared::taken.exchange(true, std::memory_order_acquire)
                          ? Shared::bytes
                          : os::reserve(sizeof(Room), os::Access::kReadWrite, nullptr);
  room_ = bytes != nullptr ? new (bytes) Room : nullptr;
}

ReportSpace::~ReportSpace() {
  if (static_cast<void*>(room_) == Shared::bytes) {
    // release: pairs with the acquire in the constructor.
    Shared::taken.store(false, std::memory_order_release);
  } else if (room_ != nullptr) {
    os::release(room_, sizeof(Room));
  }
}

}  // namespace spillway::heap
