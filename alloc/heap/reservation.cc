#include "alloc/heap/reservation.h"

#include "alloc/heap/heap.h"
#include "alloc/heap/start.h"
#include "alloc/os/os.h"

namespace spillway::heap {

void make_room_below(uint64_t bytes) {
  if (is_pooling() && bytes < os::mapped_bytes() + os::physical_memory()) {
    heap.engine.give_up_untouched();
  }
}

}  // namespace spillway::heap
