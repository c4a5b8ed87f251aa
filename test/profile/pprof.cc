// SPDX-License-Identifier: MIT
// What is written is read back by a decoder of the wire format that knows nothing of the writer.
#include "alloc/profile/pprof.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alloc/profile/frame_table.h"
#include "alloc/profile/mapped_files.h"
#include "alloc/profile/protobuf.h"
#include "test/profile/fixture.h"

namespace spillway::profile {
namespace {

struct StringSink {
  ByteSink sink() {
    return {.write =
                [](void* owner, std::string_view bytes) {
                  auto& self = *static_cast<StringSink*>(owner);
                  self.text += bytes;
                  ++self.pieces;
                  return self.pieces <= self.max_pieces;
                },
            .owner = this};
  }
  std::string text;
  size_t pieces = 0;
  size_t max_pieces = SIZE_MAX;
};

// Field, and its number or its bytes.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return place_ == text_.size(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      BOOST_REQUIRE(place_ < text_.size());
      BOOST_REQUIRE(shift < 70);
      const auto byte = static_cast<uint8_t>(text_[place_++]);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) {
        return value;
      }
    }
  }
  Field field() {
    const uint64_t tag = varint();
    Field field{.number = tag >> 3, .value = 0, .bytes = {}};
    if ((tag & 7) == 0) {
      field.value = varint();
    } else {
      BOOST_REQUIRE((tag & 7) == 2U);
      const uint64_t length = varint();
      BOOST_REQUIRE(length <= text_.size() - place_);
      field.bytes = std::string(text_.substr(place_, length));
      place_ += length;
    }
    return field;
  }
  std::vector<Field> fields() {
    std::vector<Field> all;
    while (!at_end()) {
      all.push_back(field());
    }
    return all;
  }

 private:
  std::string_view text_;
  size_t place_ = 0;
};

std::vector<uint64_t> packed(const std::string& bytes) {
  std::vector<uint64_t> values;
  for (Reader reader(bytes); !reader.at_end();) {
    values.push_back(reader.varint());
  }
  return values;
}

struct Decoded {
  explicit Decoded(const std::string& text) {
    for (const Field& field : Reader(text).fields()) {
      if (field.number == 6) {
        strings.push_back(field.bytes);
      } else if (field.bytes.empty() && field.number == 13) {
        comments.push_back(field.value);
      } else if (field.bytes.empty() && field.number >= 7) {
        numbers[field.number] = field.value;
      } else {
        std::map<uint64_t, Field> parts;
        for (const Field& part : Reader(field.bytes).fields()) {
          parts[part.number] = part;
        }
        messages[field.number].push_back(parts);
      }
    }
  }
  std::vector<std::string> strings;
  std::map<uint64_t, uint64_t> numbers;
  std::vector<uint64_t> comments;
  std::map<uint64_t, std::vector<std::map<uint64_t, Field>>> messages;
};

struct PprofFixture : testing::ProfileFixture {
  std::string written() {
    StringSink sink;
    BOOST_REQUIRE(write_pprof(profile, sink.sink()));
    return sink.text;
  }
};

BOOST_FIXTURE_TEST_SUITE(profile_pprof, PprofFixture)

BOOST_AUTO_TEST_CASE(any_fields_are_read_back) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Field> expected;
    Message<4096> message;
    for (uint64_t count = random() % 8; count > 0; --count) {
      Field field{.number = 1 + random() % 1000, .value = random() >> random() % 64, .bytes = {}};
      if (random() % 2 == 0) {
        field.bytes = std::string(random() % 200, static_cast<char>(random() % 256));
        field.value = 0;
        put_bytes(message, static_cast<uint32_t>(field.number), field.bytes);
      } else {
        put_number(message, static_cast<uint32_t>(field.number), field.value);
      }
      expected.push_back(field);
    }
    BOOST_REQUIRE(message.is_whole());
    const std::vector<Field> seen = Reader(message.view()).fields();
    BOOST_REQUIRE(seen.size() == expected.size());
    for (size_t i = 0; i < seen.size(); ++i) {
      BOOST_REQUIRE(seen[i].number == expected[i].number);
      BOOST_REQUIRE(seen[i].value == expected[i].value);
      BOOST_REQUIRE(seen[i].bytes == expected[i].bytes);
    }
    std::vector<uint64_t> numbers(random() % 50);
    for (uint64_t& number : numbers) {
      number = random() >> random() % 64;
    }
    Message<4096> list;
    put_packed(list, 3, numbers.size(), [&](size_t i) { return numbers[i]; });
    BOOST_REQUIRE((packed(Reader(list.view()).field().bytes) == numbers));
  }
}

BOOST_AUTO_TEST_CASE(a_message_that_does_not_fit_is_empty) {
  Message<4> message;
  put_bytes(message, 1, "ab");
  BOOST_TEST(message.view().size() == 4U);
  message.put(uint8_t{1});
  BOOST_TEST(!message.is_whole());
  BOOST_TEST(message.view().empty());
}

BOOST_AUTO_TEST_CASE(an_empty_profile_has_its_types) {
  BOOST_REQUIRE(profile.start(4096, 1));
  Decoded decoded(written());
  BOOST_TEST(decoded.messages[2].empty());
  std::vector<std::string> types;
  for (auto& type : decoded.messages[1]) {
    types.push_back(decoded.strings[type[1].value] + "/" + decoded.strings[type[2].value]);
  }
  const std::vector<std::string> expected{"alloc_objects/count", "alloc_space/bytes",
                                          "inuse_objects/count", "inuse_space/bytes"};
  BOOST_TEST(types == expected, boost::test_tools::per_element());
  BOOST_TEST(decoded.numbers[12] == 4096U);
  BOOST_TEST(decoded.strings[0].empty());
  BOOST_TEST(decoded.strings[decoded.numbers[14]] == "inuse_space");
  constexpr uint64_t kSecondsOf2020 = 1577836800;
  BOOST_TEST(decoded.numbers[9] > kSecondsOf2020 * 1'000'000'000);
}

BOOST_AUTO_TEST_CASE(samples_have_stacks_and_values) {
  BOOST_REQUIRE(profile.start(4096, 1));
  const Sampler::Weight weight = profile.sampler().weight(100'000, 100'000);
  uint32_t last = 0;
  const volatile int times = 3;  // unrolled, they would be three stacks
  for (int i = 0; i < times; ++i) {
    last = profile.note_allocation(nullptr, 100'000, 100'000);
  }
  profile.note_free(nullptr, last);
  Decoded decoded(written());
  BOOST_REQUIRE(decoded.messages[2].size() == 1U);
  const std::vector<uint64_t> values = packed(decoded.messages[2][0][2].bytes);
  const std::vector<uint64_t> expected{3, 3 * weight.bytes, 2, 2 * weight.bytes};
  BOOST_TEST(values == expected, boost::test_tools::per_element());

  std::map<uint64_t, std::map<uint64_t, Field>> locations;
  for (auto& location : decoded.messages[4]) {
    BOOST_TEST(locations.emplace(location[1].value, location).second);
  }
  const std::vector<uint64_t> stack = packed(decoded.messages[2][0][1].bytes);
  BOOST_TEST(stack.size() > 2U);
  for (const uint64_t frame : stack) {
    BOOST_REQUIRE(locations.contains(frame));
    auto& location = locations[frame];
    const uint64_t number = location[2].value;
    BOOST_REQUIRE(number != 0U);
    auto& mapping = decoded.messages[3][number - 1];
    BOOST_TEST(mapping[1].value == number);
    BOOST_TEST(location[3].value >= mapping[2].value);
    BOOST_TEST(location[3].value < mapping[3].value);
    BOOST_TEST(decoded.strings[mapping[5].value].starts_with('/'));
  }
  // The program itself comes first.
  BOOST_TEST(decoded.strings[decoded.messages[3][0][5].value].ends_with("test_profile"));
}

BOOST_AUTO_TEST_CASE(comments_have_the_sizes) {
  BOOST_REQUIRE(profile.start(1, 1));  // each request stands for itself
  static_cast<void>(profile.note_allocation(nullptr, 4095, 4095));
  static_cast<void>(profile.note_allocation(nullptr, 4096, 4096));
  const uint32_t number = profile.note_allocation(nullptr, 8191, 8191);
  profile.note_free(nullptr, number);
  Decoded decoded(written());
  std::vector<std::string> comments;
  for (const uint64_t comment : decoded.comments) {
    BOOST_REQUIRE(comment < decoded.strings.size());
    comments.push_back(decoded.strings[comment]);
  }
  BOOST_REQUIRE(!comments.empty());
  comments.erase(comments.begin());  // what the profile is
  const std::vector<std::string> expected{"size>=2048 1 4095 1 4095", "size>=4096 2 12287 1 4096"};
  BOOST_TEST(comments == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(locations_are_there_once_however_many_stacks_share_them) {
  BOOST_REQUIRE(profile.start(4096, 1));
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(profile.note_allocation(nullptr, 100, 100));
    static_cast<void>(profile.note_allocation(nullptr, 100, 100));
  }
  Decoded decoded(written());
  BOOST_TEST(decoded.messages[2].size() > 1U);
  std::set<uint64_t> locations;
  for (auto& location : decoded.messages[4]) {
    BOOST_TEST(locations.insert(location[1].value).second);
  }
}

BOOST_AUTO_TEST_CASE(a_sink_that_refuses_is_not_asked_again) {
  BOOST_REQUIRE(profile.start(4096, 1));
  StringSink sink;
  sink.max_pieces = 0;
  BOOST_TEST(!write_pprof(profile, sink.sink()));
  BOOST_TEST(sink.pieces == 1U);
  os::faulty::fail(os::faulty::Call::kReserve, 0, 1);
  BOOST_TEST(!write_pprof(profile, sink.sink()));
  BOOST_TEST(sink.pieces == 1U);
}

BOOST_AUTO_TEST_CASE(mapped_files_are_this_process_own) {
  const auto files = std::make_unique<MappedFiles>();
  files->read();
  BOOST_REQUIRE(files->count() > 1U);
  BOOST_TEST(files->name(files->at(0)).ends_with("test_profile"));
  BOOST_TEST(files->at(0).build_id_length == 20U);
  const auto here = reinterpret_cast<uintptr_t>(&find_frame);
  BOOST_TEST(files->find(here) == 1U);
  BOOST_TEST(files->find(reinterpret_cast<uintptr_t>(files.get())) == 0U);
  files->read("/nonexistent");
  BOOST_TEST(files->count() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile
