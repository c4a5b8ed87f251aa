// SPDX-License-Identifier: MIT
// Numbers, bytes and text, one after the other: Writer appends them to a Buffer, Reader takes them
// from bytes, SharedReader from a SharedBuffer, whose memory it can also share out.
//
//   spillway::Writer writer(buffer);
//   bool fits = writer.put_be<uint16_t>(port) && writer.put_le<double>(price);
//   spillway::SharedReader reader(std::move(buffer).freeze());
//   const std::optional<uint16_t> port = reader.get_be<uint16_t>();
//
// _be is big-endian (network order), _le little-endian; the type is always written out, as it says
// how many bytes there are. Nothing needs to be aligned.
//
// Units: counts and positions are bytes.
// Errors: where there is no room, or too little to read, the result is false or empty, and nothing
// has changed. Nothing throws.
// Thread-safety: one cursor is used by one thread at a time; otherwise that of the memory.
// Cost: a number takes a comparison, a load or store, and perhaps a byte swap. Nothing allocates.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "spillway/abi.h"
#include "spillway/buffer.h"

namespace spillway {

// The numbers that have a byte order here. bool has not: not every byte is one.
template <typename T>
concept WireNumber = std::same_as<T, std::remove_cv_t<T>> &&
    ((std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8) || std::same_as<T, float> ||
     std::same_as<T, double>);

// Internal.
namespace pool {
inline namespace SPILLWAY_ABI {

static_assert(std::numeric_limits<float>::is_iec559 && sizeof(float) == 4);
static_assert(std::numeric_limits<double>::is_iec559 && sizeof(double) == 8);
static_assert(std::endian::native == std::endian::little ||
              std::endian::native == std::endian::big);

template <typename T>
using WireBits =
    std::conditional_t<sizeof(T) == 1, uint8_t,
                       std::conditional_t<sizeof(T) == 2, uint16_t,
                                          std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <std::endian kOrder, typename Bits>
constexpr Bits reorder(Bits bits) noexcept {
  if constexpr (kOrder == std::endian::native || sizeof(Bits) == 1) {
    return bits;
  } else if constexpr (sizeof(Bits) == 2) {
    return __builtin_bswap16(bits);
  } else if constexpr (sizeof(Bits) == 4) {
    return __builtin_bswap32(bits);
  } else {
    return __builtin_bswap64(bits);
  }
}

template <std::endian kOrder, WireNumber T>
void store(std::byte* to, T value) noexcept {
  const auto bits = reorder<kOrder>(std::bit_cast<WireBits<T>>(value));
  std::memcpy(to, &bits, sizeof(bits));
}

template <std::endian kOrder, WireNumber T>
T load(const std::byte* from) noexcept {
  WireBits<T> bits;
  std::memcpy(&bits, from, sizeof(bits));
  return std::bit_cast<T>(reorder<kOrder>(bits));
}

}  // namespace SPILLWAY_ABI
}  // namespace pool

inline namespace SPILLWAY_ABI {

// Appends to a buffer, within its capacity: its data() stays. What it writes counts in the buffer's
// size at once, so the buffer can be used in between. Each put gives false, and has written
// nothing, when there is no room.
class Writer {
 public:
  // `buffer` must outlive the writer and stay where it is.
  explicit Writer(Buffer& buffer) noexcept : buffer_(&buffer) {}

  // Bytes that still fit.
  size_t remaining() const noexcept { return buffer_->capacity() - buffer_->size(); }
  // Where the next put goes: the buffer's size.
  size_t position() const noexcept { return buffer_->size(); }

  // Appends `value`, big-endian.
  template <WireNumber T>
  [[nodiscard]] bool put_be(std::type_identity_t<T> value) noexcept {
    return put<std::endian::big, T>(value);
  }
  // Appends `value`, little-endian.
  template <WireNumber T>
  [[nodiscard]] bool put_le(std::type_identity_t<T> value) noexcept {
    return put<std::endian::little, T>(value);
  }

  // Appends `bytes`, which may be the buffer's own.
  [[nodiscard]] bool put_bytes(std::span<const std::byte> bytes) noexcept {
    return buffer_->append(bytes);
  }
  // Appends the characters of `text` alone, without length or final zero.
  [[nodiscard]] bool put_text(std::string_view text) noexcept { return buffer_->append(text); }

  // Puts `count` zero bytes, such as a length's that set_be() fills in when it is known.
  [[nodiscard]] bool skip(size_t count) noexcept {
    if (count > remaining()) {
      return false;
    }
    std::fill_n(buffer_->end(), count, std::byte{0});
    return buffer_->set_size(buffer_->size() + count);
  }

  // Writes `value`, big-endian, over what is at `position` already. False, and nothing written,
  // when that is not wholly inside what was put.
  template <WireNumber T>
  [[nodiscard]] bool set_be(size_t position, std::type_identity_t<T> value) noexcept {
    return set<std::endian::big, T>(position, value);
  }
  // Writes `value`, little-endian, over what is at `position` already, as set_be() does.
  template <WireNumber T>
  [[nodiscard]] bool set_le(size_t position, std::type_identity_t<T> value) noexcept {
    return set<std::endian::little, T>(position, value);
  }

 private:
  template <std::endian kOrder, WireNumber T>
  bool put(T value) noexcept {
    // The sum is far from overflow: a buffer is memory.
    Buffer& buffer = *buffer_;
    std::byte* const to = buffer.end();
    if (!buffer.set_size(buffer.size() + sizeof(T))) {
      return false;
    }
    pool::store<kOrder>(to, value);
    return true;
  }
  template <std::endian kOrder, WireNumber T>
  bool set(size_t position, T value) noexcept {
    const size_t size = buffer_->size();
    if (position > size || size - position < sizeof(T)) {
      return false;
    }
    pool::store<kOrder>(buffer_->data() + position, value);
    return true;
  }

  Buffer* buffer_;
};

// What Reader and SharedReader have in common; use those names. Each get and skip has consumed
// nothing when there are too few bytes.
//
// Copies go on independently: keep one to come back to its position. There is no move of its own,
// so that a moved-from reader is a whole one; for SharedReader a copy is one atomic increment.
template <typename Source>
class BasicReader {
 public:
  // At the first byte of `source`.
  explicit BasicReader(Source source) noexcept : source_(std::move(source)) {}
  // At the same byte as the other.
  BasicReader(const BasicReader&) = default;
  // Goes on at the same byte as the other.
  BasicReader& operator=(const BasicReader&) = default;
  ~BasicReader() = default;

  // Bytes that are left.
  size_t remaining() const noexcept { return source_.size() - position_; }
  // Bytes consumed.
  size_t position() const noexcept { return position_; }

  // Takes a number, big-endian; nothing when too few bytes are left.
  template <WireNumber T>
  [[nodiscard]] std::optional<T> get_be() noexcept {
    return get<std::endian::big, T>();
  }
  // The same, little-endian.
  template <WireNumber T>
  [[nodiscard]] std::optional<T> get_le() noexcept {
    return get<std::endian::little, T>();
  }

  // `count` bytes where they are, without a copy: valid as long as the memory that is read.
  [[nodiscard]] std::optional<std::span<const std::byte>> get_bytes(size_t count) noexcept {
    if (count > remaining()) {
      return std::nullopt;
    }
    const std::span<const std::byte> bytes(source_.data() + position_, count);
    position_ += count;
    return bytes;
  }
  // `count` bytes as text, likewise.
  [[nodiscard]] std::optional<std::string_view> get_text(size_t count) noexcept {
    const auto bytes = get_bytes(count);
    if (!bytes) {
      return std::nullopt;
    }
    return std::string_view(reinterpret_cast<const char*>(bytes->data()), count);
  }
  // `count` bytes as a buffer that shares the memory and keeps it by itself. No copy: one atomic
  // increment, and none for 0 bytes.
  [[nodiscard]] std::optional<SharedBuffer> take(
      size_t count) noexcept requires std::same_as<Source, SharedBuffer> {
    if (count > remaining()) {
      return std::nullopt;
    }
    std::optional<SharedBuffer> bytes(source_.slice(position_, count));
    position_ += count;
    return bytes;
  }

  // Passes `count` bytes over. False when fewer are left.
  [[nodiscard]] bool skip(size_t count) noexcept {
    if (count > remaining()) {
      return false;
    }
    position_ += count;
    return true;
  }

 private:
  template <std::endian kOrder, WireNumber T>
  std::optional<T> get() noexcept {
    if (remaining() < sizeof(T)) {
      return std::nullopt;
    }
    const T value = pool::load<kOrder, T>(source_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  Source source_;
  size_t position_ = 0;
};

// Over bytes that another object keeps.
using Reader = BasicReader<std::span<const std::byte>>;
// Keeps the memory itself.
using SharedReader = BasicReader<SharedBuffer>;

}  // namespace SPILLWAY_ABI
}  // namespace spillway
