// SPDX-License-Identifier: MIT
// Which parts of a pool's memory have been announced as regions. A piece of a class, whole buffers
// and at most 1 GiB, becomes one when its first buffer is handed out.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "alloc/core/engine.h"
#include "alloc/core/slot_store.h"
#include "spillway/regions.h"

namespace spillway::pool {

class Regions {
 public:
  using Callback = std::function<void(const Region&)>;

  // For the engine's whole life, which has been started.
  void attach(core::Engine<core::SlotStore>& engine);

  // Adds the region of a block that has not been in use before, if that was not done yet: commits
  // all of it and tells the callback. False when the kernel gives no memory. Takes a lock, not
  // during the callback.
  bool add_for(const void* block);
  std::vector<Region> all() const;
  std::optional<RegionOffset> locate(const void* pointer) const;
  void set_callback(Callback callback);

  // For fork(): no thread adds one meanwhile.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  static constexpr uint32_t kNoRegion = UINT32_MAX;
  struct Piece {
    std::byte* base = nullptr;
    size_t length = 0;
    bool added = false;                   // under the lock
    std::atomic<uint32_t> id{kNoRegion};  // once the callback has returned
  };

  Piece* piece_of(const void* pointer) const;

  core::Engine<core::SlotStore>* engine_ = nullptr;
  uint32_t slots_per_piece_[kMaxClasses] = {};
  uint32_t first_piece_[kMaxClasses] = {};
  std::vector<std::unique_ptr<Piece>> pieces_;  // by class and place
  mutable std::mutex mutex_;
  std::vector<Region> added_;  // by id
  std::shared_ptr<const Callback> callback_;
};

}  // namespace spillway::pool
