// SPDX-License-Identifier: MIT
// Strong types for the three ways to name a block's place, so that none is passed for another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace spillway {

// A size class of one geometry: 1..class_count. 0 is no class: its bins are always empty and full.
enum class ClassIndex : uint8_t {};
inline constexpr ClassIndex kNoClass{0};
// Room for class 0 and 72 real ones.
inline constexpr uint32_t kMaxClasses = 73;

// A 4 KiB piece of the arena, counted from its base; a block is named by its first one. The arena
// is counted in granules whatever the kernel's page size.
enum class Granule : uint32_t {};
inline constexpr unsigned kGranuleShift = 12;
inline constexpr size_t kGranuleSize = size_t{1} << kGranuleShift;

// A block's place in its class, stable for the life of the process.
enum class SlotIndex : uint32_t {};

template <typename Enum>
constexpr std::underlying_type_t<Enum> raw(Enum value) {
  return static_cast<std::underlying_type_t<Enum>>(value);
}

}  // namespace spillway
