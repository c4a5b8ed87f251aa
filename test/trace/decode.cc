// SPDX-License-Identifier: MIT
#include <zstd.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "bench/trace/file.h"
#include "bench/trace/format.h"
#include "bench/trace/varint.h"
#include "test/trace/recordings.h"

namespace bench::trace {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The parts of a file's content; each test damages one.
struct Parts {
  std::string name = "p";
  std::uint64_t threads = 2;
  std::uint64_t events = 4;
  Bytes heads = {0, kSwitch, 4, 2, 3};  // malloc; in the other thread: free, aligned, realloc
  Bytes switches = {1};
  Bytes sizes = {10, 20, 30};
  Bytes ends = {0, 0};
  Bytes alignments = {4};
  Bytes rest = {};
};

Bytes file_of(const Bytes& content) {
  Bytes file(kMagic.begin(), kMagic.end());
  file.push_back(kVersion);
  file.resize(file.size() + 3);
  Bytes frame(ZSTD_compressBound(content.size()));
  frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
  file.insert(file.end(), frame.begin(), frame.end());
  return file;
}

Bytes file_of(const Parts& parts) {
  Bytes content;
  put_number(content, parts.name.size());
  content.insert(content.end(), parts.name.begin(), parts.name.end());
  put_number(content, parts.threads);
  put_number(content, parts.events);
  for (const Bytes* column :
       {&parts.heads, &parts.switches, &parts.sizes, &parts.ends, &parts.alignments}) {
    put_number(content, column->size());
    content.insert(content.end(), column->begin(), column->end());
  }
  content.insert(content.end(), parts.rest.begin(), parts.rest.end());
  return file_of(content);
}

std::string complaint(const Bytes& file) {
  try {
    decode(file);
  } catch (const BadTrace& error) {
    return error.what();
  }
  return "";
}

template <typename Damage>
std::string complaint_after(Damage damage) {
  Parts parts;
  damage(parts);
  return complaint(file_of(parts));
}

BOOST_AUTO_TEST_SUITE(decoding)

BOOST_AUTO_TEST_CASE(the_undamaged_parts_are_a_trace) {
  BOOST_TEST(complaint(file_of(Parts{})) == "");
}

BOOST_AUTO_TEST_CASE(other_files_and_versions) {
  const std::string text = "root:x:0:0:root:/root:/bin/bash";
  BOOST_TEST(complaint({}) == "not a trace");
  BOOST_TEST(complaint(Bytes(text.begin(), text.end())) == "not a trace");
  Bytes newer = file_of(Parts{});
  newer[kMagic.size()] = kVersion + 1;
  BOOST_TEST(complaint(newer) == "version 2, this program reads version 1");
}

BOOST_AUTO_TEST_CASE(every_file_cut_short) {
  const Bytes whole = encode(random_recording(200, 2, 1));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(complaint(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))) != "");
  }
}

// A changed byte is noticed, unless it says the same in another way.
BOOST_AUTO_TEST_CASE(every_changed_byte) {
  const Recording recording = random_recording(200, 2, 1);
  const Bytes whole = encode(recording);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned change : {1U, 128U, 255U}) {
      Bytes damaged = whole;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ change);
      BOOST_TEST((complaint(damaged) != "" || decode(damaged) == recording),
                 "byte " << at << " ^ " << change);
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_after_the_end) {
  Bytes longer = encode(random_recording(200, 2, 1));
  longer.push_back(0);
  BOOST_TEST(complaint(longer) != "");
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range) {
  BOOST_TEST(complaint_after([](Parts& p) { p.threads = 0; }) == "damaged: 0 threads");
  BOOST_TEST(complaint_after([](Parts& p) { p.threads = 65; }) == "damaged: 65 threads");
  BOOST_TEST(complaint_after([](Parts& p) { p.events = 6; }) == "damaged: 6 events");
  BOOST_TEST(complaint_after([](Parts& p) { p.name = std::string(256, 'x'); }) ==
             "damaged: the program's name is too long");
  BOOST_TEST(complaint_after([](Parts& p) { p.switches = {2}; }) ==
             "damaged: a thread that is none of its threads");
  BOOST_TEST(complaint_after([](Parts& p) { p.heads[0] = 6; }) == "damaged: an unknown call");
  BOOST_TEST(complaint_after([](Parts& p) { p.heads[2] = kSwitch; }) == "damaged: an unknown call");
  for (const std::uint8_t alignment : Bytes{2, 31}) {
    BOOST_TEST(complaint_after([&](Parts& p) { p.alignments = {alignment}; }) ==
               "damaged: an alignment out of range");
  }
  BOOST_TEST(complaint_after([](Parts& p) {
               p.sizes = {255, 255, 255, 255, 255, 255, 127, 1, 1};
             }) == "damaged: a size out of range");
  BOOST_TEST(complaint_after([](Parts& p) { p.sizes = Bytes(12, 255); }) ==
             "damaged: a number is too long");
}

BOOST_AUTO_TEST_CASE(blocks_that_are_not_there) {
  BOOST_TEST(complaint_after([](Parts& p) {
               p.ends = {1, 0};
             }) == "damaged: a block that was never made");
  BOOST_TEST(complaint_after([](Parts& p) {
               p.ends = {0, 1};
             }) == "damaged: a block that ends twice");
}

BOOST_AUTO_TEST_CASE(too_little_and_too_much) {
  const char* const less = "damaged: it ends too early";
  const char* const more = "damaged: more than its events";
  BOOST_TEST(complaint_after([](Parts& p) { p.events = 5; }) == less);
  BOOST_TEST(complaint_after([](Parts& p) { p.sizes.pop_back(); }) == less);
  BOOST_TEST(complaint_after([](Parts& p) { p.alignments = {}; }) == less);
  BOOST_TEST(complaint_after([](Parts& p) { p.events = 3; }) == more);
  BOOST_TEST(complaint_after([](Parts& p) { p.ends.push_back(0); }) == more);
  BOOST_TEST(complaint_after([](Parts& p) { p.rest = {0}; }) ==
             "damaged: something follows its events");
  BOOST_TEST(complaint(file_of(Bytes{})) == less);
}

BOOST_AUTO_TEST_CASE(messages_of_files_name_them) {
  for (const char* path : {"/nowhere/a.trace", "/"}) {
    BOOST_CHECK_EXCEPTION(load(path), BadTrace, [&](const BadTrace& error) {
      return std::string(error.what()).starts_with(std::string(path) + ": ");
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench::trace
