// SPDX-License-Identifier: MIT
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "bench/trace/format.h"
#include "bench/trace/varint.h"

namespace bench::trace {
namespace {

// More than any trace of kMaxEvents takes that is worth replaying; a damaged head may claim more.
constexpr std::uint64_t kMaxContent = std::uint64_t{1} << 30;

struct Content {
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t size;
};

Content unpack(std::span<const std::uint8_t> file) {
  const std::size_t head = kMagic.size() + 4;
  if (file.size() < head || !std::equal(kMagic.begin(), kMagic.end(), file.begin())) {
    throw BadTrace("not a trace");
  }
  std::uint32_t version = 0;
  for (unsigned byte = 0; byte < 4; ++byte) {
    version |= std::uint32_t{file[kMagic.size() + byte]} << (8 * byte);
  }
  if (version != kVersion) {
    throw BadTrace("version " + std::to_string(version) + ", this program reads version " +
                   std::to_string(kVersion));
  }
  const auto frame = file.subspan(head);
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxContent) {
    throw BadTrace("damaged: no sensible size");
  }
  Content content{std::unique_ptr<std::uint8_t[]>(new std::uint8_t[size]), size};
  const std::size_t got = ZSTD_decompress(content.bytes.get(), size, frame.data(), frame.size());
  if (ZSTD_isError(got) != 0) {
    throw BadTrace(std::string("damaged: ") + ZSTD_getErrorName(got));
  }
  if (got != size) {
    throw BadTrace("damaged: it ends too early");
  }
  return content;
}

// Puts the columns together again and checks what one event says against those before it.
class Assembler {
 public:
  Assembler(Recording& into, std::array<Reader, 5> columns)
      : into_(into), columns_(std::move(columns)) {}

  void run(std::uint64_t events) {
    into_.events.reserve(events);
    while (into_.events.size() < events) {
      into_.events.push_back(next());
    }
    for (const Reader& column : columns_) {
      if (!column.done()) {
        throw BadTrace("damaged: more than its events");
      }
    }
    into_.blocks = static_cast<std::uint32_t>(live_.size());
  }

 private:
  enum Column { kHeads, kThreads, kSizes, kEnds, kAlignments };

  Event next() {
    std::uint8_t head = columns_[kHeads].byte();
    if (head == kSwitch) {
      const std::uint64_t thread = columns_[kThreads].number();
      if (thread >= into_.threads) {
        throw BadTrace("damaged: a thread that is none of its threads");
      }
      thread_ = static_cast<std::uint16_t>(thread);
      head = columns_[kHeads].byte();
    }
    if (head > static_cast<std::uint8_t>(Op::kFree)) {
      throw BadTrace("damaged: an unknown call");
    }
    Event event;
    event.op = static_cast<Op>(head);
    event.thread = thread_;
    if (ends_block(event.op)) {
      event.ended = end_one();
    }
    if (event.op == Op::kAligned) {
      event.alignment_log2 = columns_[kAlignments].byte();
      if (event.alignment_log2 < kMinAlignmentLog2 || event.alignment_log2 > kMaxAlignmentLog2) {
        throw BadTrace("damaged: an alignment out of range");
      }
    }
    if (makes_block(event.op)) {
      event.size = columns_[kSizes].number();
      if (event.size > kMaxSize) {
        throw BadTrace("damaged: a size out of range");
      }
      event.made = static_cast<std::uint32_t>(live_.size());
      live_.push_back(true);
    }
    return event;
  }

  std::uint32_t end_one() {
    const std::uint64_t after = columns_[kEnds].number();
    if (after >= live_.size()) {
      throw BadTrace("damaged: a block that was never made");
    }
    const std::size_t block = live_.size() - 1 - after;
    if (!live_[block]) {
      throw BadTrace("damaged: a block that ends twice");
    }
    live_[block] = false;
    return static_cast<std::uint32_t>(block);
  }

  Recording& into_;
  std::array<Reader, 5> columns_;
  std::vector<bool> live_;
  std::uint16_t thread_ = 0;
};

}  // namespace

Recording decode(std::span<const std::uint8_t> file) {
  const Content content = unpack(file);
  Reader reader({content.bytes.get(), content.size});
  Recording recording;
  const auto name = reader.bytes(std::min<std::uint64_t>(reader.number(), content.size));
  if (name.size() > kMaxName) {
    throw BadTrace("damaged: the program's name is too long");
  }
  recording.program.assign(name.begin(), name.end());
  const std::uint64_t threads = reader.number();
  if (threads < 1 || threads > kMaxThreads) {
    throw BadTrace("damaged: " + std::to_string(threads) + " threads");
  }
  recording.threads = static_cast<std::uint32_t>(threads);
  const std::uint64_t events = reader.number();
  const auto column = [&reader] { return Reader(reader.bytes(reader.number())); };
  const auto heads = reader.bytes(reader.number());
  // Every event has a head: nothing is reserved for events that are not there.
  if (events > heads.size() || events > kMaxEvents) {
    throw BadTrace("damaged: " + std::to_string(events) + " events");
  }
  // Braces: read in this order.
  Assembler(recording, {Reader(heads), column(), column(), column(), column()}).run(events);
  if (!reader.done()) {
    throw BadTrace("damaged: something follows its events");
  }
  return recording;
}

}  // namespace bench::trace
