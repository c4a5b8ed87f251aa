// SPDX-License-Identifier: MIT
#include "alloc/pool/regions.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::pool {
namespace {

constexpr size_t kMaxRegionBytes = size_t{1} << 30;

}  // namespace

void Regions::attach(core::Engine<core::SlotStore>& engine) {
  engine_ = &engine;
  const core::Geometry& geometry = engine.geometry();
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    const size_t size = geometry.of(index).block_size;
    const uint32_t slots = engine.store().central(index).slots();
    auto* base =
        static_cast<std::byte*>(engine.arena().address(engine.arena().first_granule(index)));
    slots_per_piece_[i] =
        static_cast<uint32_t>(std::clamp<size_t>(kMaxRegionBytes / size, 1, std::max(1U, slots)));
    first_piece_[i] = static_cast<uint32_t>(pieces_.size());
    for (uint32_t slot = 0; slot < slots; slot += slots_per_piece_[i]) {
      auto piece = std::make_unique<Piece>();
      piece->base = base + slot * size;
      piece->length = std::min(slots_per_piece_[i], slots - slot) * size;
      pieces_.push_back(std::move(piece));
    }
  }
  added_.reserve(pieces_.size());  // add_for() is not to throw
}

Regions::Piece* Regions::piece_of(const void* pointer) const {
  const core::Arena& arena = engine_->arena();
  if (!arena.owns(pointer)) {
    return nullptr;
  }
  const Granule granule = arena.granule_at(arena.offset(pointer));
  const ClassIndex index = arena.class_of(granule);
  const uint32_t slot = raw(engine_->store().central(index).slot_of(granule));
  const bool inside = slot < engine_->store().central(index).slots();
  return inside ? pieces_[first_piece_[raw(index)] + slot / slots_per_piece_[raw(index)]].get()
                : nullptr;
}

bool Regions::add_for(const void* block) {
  Piece& piece = *piece_of(block);
  // relaxed: the caller needs only to know that it is there.
  if (piece.id.load(std::memory_order_relaxed) != kNoRegion) {
    return true;
  }
  Region region{0, piece.base, piece.length};
  std::shared_ptr<const Callback> callback;
  {
    const std::lock_guard lock(mutex_);
    if (piece.added) {
      return true;
    }
    const core::Arena& arena = engine_->arena();
    const Granule first = arena.granule_at(arena.offset(piece.base));
    const size_t granules =
        align_up(piece.length, size_t{1} << arena.granule_shift()) >> arena.granule_shift();
    if (!engine_->arena().commit(first, granules)) {
      return false;
    }
    piece.added = true;
    region.id = static_cast<uint32_t>(added_.size());
    added_.push_back(region);
    callback = callback_;  // the one that set_callback() did not tell
  }
  if (callback != nullptr) {
    (*callback)(region);
  }
  // release: pairs with the acquire in locate(); what the callback did with the region.
  piece.id.store(region.id, std::memory_order_release);
  return true;
}

std::vector<Region> Regions::all() const {
  const std::lock_guard lock(mutex_);
  return added_;
}

std::optional<RegionOffset> Regions::locate(const void* pointer) const {
  const Piece* const piece = piece_of(pointer);
  if (piece == nullptr) {
    return std::nullopt;
  }
  // acquire: pairs with the release in add_for().
  const uint32_t id = piece->id.load(std::memory_order_acquire);
  if (id == kNoRegion) {
    return std::nullopt;
  }
  return RegionOffset{id,
                      static_cast<size_t>(static_cast<const std::byte*>(pointer) - piece->base)};
}

void Regions::set_callback(Callback callback) {
  auto shared = callback ? std::make_shared<const Callback>(std::move(callback)) : nullptr;
  std::shared_ptr<const Callback> next = shared;
  std::vector<Region> before;
  {
    const std::lock_guard lock(mutex_);
    if (shared != nullptr) {
      before = added_;  // may throw: nothing has changed then
    }
    callback_.swap(next);
  }
  for (const Region& region : before) {
    (*shared)(region);
  }
}

}  // namespace spillway::pool
