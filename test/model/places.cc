// SPDX-License-Identifier: MIT
#include "test/model/places.h"

#include <cstdlib>

namespace spillway::model {

void Places::clear() {
  for (Place* const place : used_) {
    *place = {};
  }
  used_.clear();
  found_.clear();
  ranges_.clear();
  contended_ = 0;
  all_ = false;
}

Place& Places::at(uintptr_t address) {
  auto slot = static_cast<uint32_t>((address * 0x9e3779b97f4a7c15U) >> 48);
  for (;; slot = (slot + 1) % kSlots) {
    Place& place = table_[slot];
    if (place.address == address) {
      return place;
    }
    if (place.address == 0) {
      if (used_.size() >= kSlots / 2) {
        std::abort();
      }
      place.address = address;
      for (const Range& range : ranges_) {
        if (address >= range.start && address < range.end) {
          place.handed = range.how;
        }
      }
      used_.push_back(&place);
      return place;
    }
  }
}

bool Places::is_contended(Place& place, unsigned thread, bool writes) {
  if (place.number >= 0) {
    return true;
  }
  const auto bit = static_cast<uint8_t>(1U << thread);
  (writes ? place.writers : place.readers) |= bit;
  const auto both = static_cast<uint8_t>(place.readers | place.writers);
  const bool contended = place.writers != 0 && (both & (both - 1)) != 0;
  if (all_) {
    place.number = static_cast<int32_t>(contended_++);
    return true;
  }
  if (contended && place.number == -1) {
    place.number = -2;
    found_.push_back(&place);
  }
  return false;
}

bool Places::take_new() {
  if (found_.empty()) {
    return false;
  }
  for (Place* const place : found_) {
    place->number = static_cast<int32_t>(contended_++);
  }
  found_.clear();
  return true;
}

}  // namespace spillway::model
