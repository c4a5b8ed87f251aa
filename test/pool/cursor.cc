// SPDX-License-Identifier: MIT
#include "spillway/cursor.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "spillway/pool.h"

namespace spillway {
namespace {

using Bytes = std::vector<unsigned>;

template <typename Range>
Bytes bytes_of(const Range& range) {
  Bytes bytes;
  for (const std::byte byte : range) {
    bytes.push_back(std::to_integer<unsigned>(byte));
  }
  return bytes;
}

// A buffer with room for exactly `capacity` bytes: smaller than any class.
struct Room {
  explicit Room(size_t capacity)
      : pool(*Pool::create(PoolConfig().with_pool_min_size(4096))), buffer(pool.alloc(capacity)) {
    BOOST_REQUIRE(buffer.capacity() == capacity);
  }
  Pool pool;
  Buffer buffer;
};

// Writes and reads `value` in both orders at every alignment.
template <typename T>
void check_round_trip(T value) {
  for (size_t shift = 0; shift < 8; ++shift) {
    Room room(shift + 2 * sizeof(T));
    Writer writer(room.buffer);
    BOOST_TEST(writer.skip(shift));
    BOOST_TEST(writer.put_be<T>(value));
    BOOST_TEST(writer.put_le<T>(value));
    BOOST_TEST(writer.remaining() == 0U);
    BOOST_TEST(!writer.put_be<T>(value));

    Bytes big = bytes_of(room.buffer.span().subspan(shift, sizeof(T)));
    const Bytes little = bytes_of(room.buffer.span().subspan(shift + sizeof(T)));
    BOOST_TEST((Bytes(big.rbegin(), big.rend()) == little));

    Reader reader(room.buffer.span());
    BOOST_TEST(reader.skip(shift));
    BOOST_TEST((reader.get_be<T>() == std::optional<T>(value)));
    BOOST_TEST((reader.get_le<T>() == std::optional<T>(value)));
    BOOST_TEST(!reader.get_le<T>().has_value());
  }
}

template <typename T>
void check_limits() {
  check_round_trip<T>(std::numeric_limits<T>::lowest());
  check_round_trip<T>(std::numeric_limits<T>::max());
  check_round_trip<T>(T{0});
  check_round_trip<T>(T{1});
}

static_assert(WireNumber<char> && WireNumber<char16_t> && WireNumber<long long>);
static_assert(!WireNumber<bool> && !WireNumber<long double> && !WireNumber<const int>);
static_assert(!WireNumber<int*> && !WireNumber<std::byte>);

template <typename R>
concept CanTake = requires(R reader) {
  reader.take(1);
};
static_assert(CanTake<SharedReader> && !CanTake<Reader>);
static_assert(std::is_trivially_copyable_v<Reader>);

BOOST_AUTO_TEST_SUITE(cursor)

BOOST_AUTO_TEST_CASE(integers_have_the_bytes_of_their_order) {
  Room room(64);
  Writer writer(room.buffer);
  BOOST_TEST(writer.put_be<uint8_t>(0x01));
  BOOST_TEST(writer.put_be<uint16_t>(0x0203));
  BOOST_TEST(writer.put_be<uint32_t>(0x04050607));
  BOOST_TEST(writer.put_be<uint64_t>(0x08090a0b0c0d0e0f));
  BOOST_TEST(writer.put_le<uint16_t>(0x1110));
  BOOST_TEST(writer.put_le<uint32_t>(0x15141312));
  BOOST_TEST(writer.put_le<uint64_t>(0x1d1c1b1a19181716));
  BOOST_TEST(writer.put_be<int16_t>(-2));
  const Bytes expected{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
                       0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                       0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0xff, 0xfe};
  BOOST_TEST(bytes_of(room.buffer) == expected, boost::test_tools::per_element());
  BOOST_TEST(writer.position() == expected.size());
  BOOST_TEST(writer.remaining() == 64 - expected.size());
}

BOOST_AUTO_TEST_CASE(floats_have_the_bytes_of_ieee_754) {
  Room room(12);
  Writer writer(room.buffer);
  BOOST_TEST(writer.put_be<float>(1.0F));
  BOOST_TEST(writer.put_le<double>(-2.0));
  BOOST_TEST(bytes_of(room.buffer) == (Bytes{0x3f, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  check_limits<uint8_t>();
  check_limits<int8_t>();
  check_limits<uint16_t>();
  check_limits<int16_t>();
  check_limits<uint32_t>();
  check_limits<int32_t>();
  check_limits<uint64_t>();
  check_limits<int64_t>();
  check_limits<float>();
  check_limits<double>();
  check_round_trip<double>(std::numeric_limits<double>::denorm_min());
  check_round_trip<float>(-std::numeric_limits<float>::infinity());
}

BOOST_AUTO_TEST_CASE(a_nan_keeps_its_bits) {
  const std::array<std::byte, 4> bytes{std::byte{0x7f}, std::byte{0xa0}, std::byte{0x12},
                                       std::byte{0x34}};
  Reader reader(bytes);
  const std::optional<float> value = reader.get_be<float>();
  BOOST_REQUIRE(value.has_value());
  BOOST_TEST(std::isnan(*value));
  Room room(4);
  BOOST_TEST(Writer(room.buffer).put_be<float>(*value));
  BOOST_TEST(bytes_of(room.buffer) == bytes_of(bytes), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_room_nothing_is_written) {
  Room room(7);
  Writer writer(room.buffer);
  BOOST_TEST(writer.put_text("abcd"));
  const Bytes before = bytes_of(std::span(room.buffer.data(), 7));
  BOOST_TEST(!writer.put_be<uint32_t>(1));
  BOOST_TEST(!writer.put_le<double>(1));
  BOOST_TEST(!writer.put_text("efgh"));
  BOOST_TEST(!writer.put_bytes(room.buffer.span()));
  BOOST_TEST(!writer.skip(4));
  BOOST_TEST(!writer.skip(SIZE_MAX));
  BOOST_TEST(room.buffer.size() == 4U);
  BOOST_TEST(bytes_of(std::span(room.buffer.data(), 7)) == before,
             boost::test_tools::per_element());
  BOOST_TEST(writer.put_text("efg"));
  BOOST_TEST(room.buffer.view() == "abcdefg");
}

BOOST_AUTO_TEST_CASE(a_buffer_without_memory_has_no_room) {
  Buffer none;
  Writer writer(none);
  BOOST_TEST(writer.remaining() == 0U);
  BOOST_TEST(!writer.put_be<uint8_t>(1));
  BOOST_TEST(!writer.put_text("a"));
  BOOST_TEST(!writer.set_be<uint8_t>(0, 1));
  BOOST_TEST(writer.put_text(""));
  BOOST_TEST(writer.put_bytes({}));
  BOOST_TEST(writer.skip(0));
}

BOOST_AUTO_TEST_CASE(the_buffer_can_be_used_in_between) {
  Room room(16);
  Writer writer(room.buffer);
  BOOST_TEST(writer.put_text("ab"));
  BOOST_TEST(room.buffer.append("cd"));
  BOOST_TEST(writer.put_bytes(room.buffer.span()));
  BOOST_TEST(room.buffer.view() == "abcdabcd");
  room.buffer.clear();
  BOOST_TEST(writer.remaining() == 16U);
}

BOOST_AUTO_TEST_CASE(skipped_bytes_are_zero_and_can_be_filled_in_later) {
  Room room(16);
  room.buffer.set_size(16);
  std::fill(room.buffer.begin(), room.buffer.end(), std::byte{0xff});
  room.buffer.clear();

  Writer writer(room.buffer);
  BOOST_TEST(writer.put_be<uint8_t>(7));
  const size_t length = writer.position();
  BOOST_TEST(writer.skip(2));
  BOOST_TEST(bytes_of(room.buffer) == (Bytes{7, 0, 0}), boost::test_tools::per_element());
  BOOST_TEST(writer.put_text("hello"));
  BOOST_TEST(writer.set_be<uint16_t>(length, 5));
  BOOST_TEST(room.buffer.size() == 8U);
  BOOST_TEST(bytes_of(room.buffer.span().first(3)) == (Bytes{7, 0, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(writer.set_le<uint16_t>(length, 5));
  BOOST_TEST(bytes_of(room.buffer.span().first(3)) == (Bytes{7, 5, 0}),
             boost::test_tools::per_element());

  BOOST_TEST(writer.set_be<uint16_t>(6, 0));
  BOOST_TEST(!writer.set_be<uint16_t>(7, 0));
  BOOST_TEST(!writer.set_be<uint16_t>(8, 0));
  BOOST_TEST(!writer.set_be<uint16_t>(9, 0));
  BOOST_TEST(!writer.set_be<uint16_t>(SIZE_MAX, 0));
}

BOOST_AUTO_TEST_CASE(too_few_bytes_consume_nothing) {
  const std::array<std::byte, 3> bytes{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  Reader reader(bytes);
  BOOST_TEST(!reader.get_be<uint32_t>().has_value());
  BOOST_TEST(!reader.get_le<double>().has_value());
  BOOST_TEST(!reader.get_bytes(4).has_value());
  BOOST_TEST(!reader.get_text(SIZE_MAX).has_value());
  BOOST_TEST(!reader.skip(4));
  BOOST_TEST(!reader.skip(SIZE_MAX));
  BOOST_TEST(reader.position() == 0U);
  BOOST_TEST(reader.remaining() == 3U);
  BOOST_TEST((reader.get_text(3) == std::optional<std::string_view>("abc")));
  BOOST_TEST(reader.remaining() == 0U);
  BOOST_TEST(!reader.get_be<uint8_t>().has_value());
  BOOST_TEST(reader.get_bytes(0).has_value());
  BOOST_TEST(reader.skip(0));
}

BOOST_AUTO_TEST_CASE(bytes_are_read_where_they_are) {
  const std::array<std::byte, 4> bytes{};
  Reader reader(bytes);
  BOOST_TEST(reader.skip(1));
  const auto part = reader.get_bytes(2);
  BOOST_REQUIRE(part.has_value());
  BOOST_TEST(part->data() == bytes.data() + 1);
  BOOST_TEST(part->size() == 2U);
  BOOST_TEST(reader.position() == 3U);
}

BOOST_AUTO_TEST_CASE(no_bytes_at_all) {
  Reader reader((std::span<const std::byte>()));
  BOOST_TEST(reader.remaining() == 0U);
  BOOST_TEST(!reader.get_be<uint8_t>().has_value());
  BOOST_TEST(reader.get_bytes(0).has_value());
  SharedReader shared((SharedBuffer()));
  BOOST_TEST(!shared.take(1).has_value());
  BOOST_TEST(shared.take(0).has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_goes_on_by_itself) {
  const std::array<std::byte, 2> bytes{std::byte{1}, std::byte{2}};
  Reader reader(bytes);
  const Reader start = reader;
  BOOST_TEST((reader.get_be<uint16_t>() == std::optional<uint16_t>(0x0102)));
  reader = start;
  BOOST_TEST((reader.get_be<uint8_t>() == std::optional<uint8_t>(1)));
}

BOOST_AUTO_TEST_CASE(taken_pieces_share_the_memory_and_outlive_the_reader) {
  SharedBuffer piece;
  {
    Room room(16);
    Writer writer(room.buffer);
    BOOST_TEST(writer.put_be<uint16_t>(5));
    BOOST_TEST(writer.put_text("helloworld"));
    const std::byte* memory = room.buffer.data();

    SharedReader reader(std::move(room.buffer).freeze());
    const std::optional<uint16_t> length = reader.get_be<uint16_t>();
    BOOST_REQUIRE(length.has_value());
    std::optional<SharedBuffer> taken = reader.take(*length);
    BOOST_REQUIRE(taken.has_value());
    BOOST_TEST(taken->data() == memory + 2);
    BOOST_TEST(!taken->is_unique());
    piece = std::move(*taken);
    BOOST_TEST(!reader.take(6).has_value());
    BOOST_TEST(reader.remaining() == 5U);
    BOOST_TEST((reader.get_text(5) == std::optional<std::string_view>("world")));
  }
  BOOST_TEST(piece.view() == "hello");
  BOOST_TEST(piece.is_unique());
}

BOOST_AUTO_TEST_CASE(a_shared_reader_that_was_moved_from_is_whole) {
  Room room(4);
  BOOST_TEST(room.buffer.append("abcd"));
  SharedReader reader(std::move(room.buffer).freeze());
  BOOST_TEST(reader.skip(2));
  {
    SharedReader other = std::move(reader);
    BOOST_TEST(other.remaining() == 2U);
  }
  BOOST_TEST((reader.get_text(2) == std::optional<std::string_view>("cd")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
