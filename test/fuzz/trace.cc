// SPDX-License-Identifier: MIT
// The reader of traces and the packer of what the recorder writes. The first byte says what the
// rest is: a file; the content of one, which is packed correctly; or the recorder's records.
#include <zstd.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "bench/trace/format.h"
#include "bench/trace/pack.h"
#include "bench/trace/raw.h"
#include "test/fuzz/input.h"
#include "test/fuzz/require.h"

namespace {

namespace trace = bench::trace;

std::optional<trace::Recording> decoded(std::span<const uint8_t> file) {
  try {
    return trace::decode(file);
  } catch (const trace::BadTrace& problem) {
    FUZZ_REQUIRE(std::string(problem.what()).find('\n') == std::string::npos);
    return std::nullopt;
  }
}

// Whatever the reader accepts is what the writer writes.
void check_again(const trace::Recording& recording) {
  FUZZ_REQUIRE(decoded(trace::encode(recording)) == recording);
}

std::vector<uint8_t> file_of(std::span<const uint8_t> content) {
  std::vector<uint8_t> file(trace::kMagic.begin(), trace::kMagic.end());
  for (unsigned byte = 0; byte < 4; ++byte) {
    file.push_back(static_cast<uint8_t>(trace::kVersion >> 8 * byte));
  }
  const size_t head = file.size();
  file.resize(head + ZSTD_compressBound(content.size()));
  file.resize(head + ZSTD_compress(file.data() + head, file.size() - head, content.data(),
                                   content.size(), 1));
  return file;
}

// Of so few different values that calls meet.
trace::RawRecord record_of(fuzz::Input& input) {
  trace::RawRecord record{};
  record.op = static_cast<trace::RawOp>(input.byte() % 6);
  record.stamp = input.byte();
  record.address = uint64_t{input.byte() % 16U} << 4;
  record.size = uint64_t{input.byte()} << input.byte() % 50;
  record.thread = input.byte() % 8;
  record.alignment_log2 = input.byte() % 40;
  return record;
}

void pack_records(fuzz::Input& input) {
  std::vector<trace::RawRecord> records;
  while (!input.done()) {
    records.push_back(record_of(input));
  }
  try {
    check_again(trace::pack("fuzz", records).recording);
  } catch (const trace::BadTrace&) {
    // Records that no process writes.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t kind = input.byte() % 3;
  if (kind == 2) {
    pack_records(input);
    return 0;
  }
  const auto recording =
      decoded(kind == 0 ? std::vector<uint8_t>(input.rest().begin(), input.rest().end())
                        : file_of(input.rest()));
  if (recording) {
    check_again(*recording);
  }
  return 0;
}
