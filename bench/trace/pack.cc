// SPDX-License-Identifier: MIT
#include "bench/trace/pack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bench/trace/lanes.h"

namespace bench::trace {
namespace {

// The records by stamp; a record that was never finished leaves a gap.
std::vector<const RawRecord*> in_order(std::span<const RawRecord> records) {
  std::vector<const RawRecord*> order;
  for (const RawRecord& record : records) {
    if (record.stamp != 0) {
      order.push_back(&record);
    }
  }
  std::sort(order.begin(), order.end(),
            [](const RawRecord* a, const RawRecord* b) { return a->stamp < b->stamp; });
  return order;
}

class Packer {
 public:
  explicit Packer(Packed& into) : into_(into) {}

  void add(const RawRecord& record) {
    switch (record.op) {
      case RawOp::kMalloc:
        make(record, Op::kMalloc);
        break;
      case RawOp::kCalloc:
        make(record, Op::kCalloc);
        break;
      case RawOp::kAligned:
        make(record, Op::kAligned);
        break;
      case RawOp::kReallocBegin:
        begin_realloc(record);
        break;
      case RawOp::kReallocEnd:
        end_realloc(record);
        break;
      case RawOp::kFree:
        end(record);
        break;
      default:
        throw BadTrace("damaged: an unknown call");
    }
  }

  void finish() {
    into_.recording.threads = assign_lanes(into_.recording.events, threads_);
    into_.threads = static_cast<std::uint32_t>(
        std::unordered_set<std::uint32_t>(threads_.begin(), threads_.end()).size());
  }

 private:
  struct Pending {
    std::uint64_t address;
    std::uint32_t block;
  };

  void emit(const RawRecord& record, Event event) {
    if (into_.recording.events.size() >= kMaxEvents) {
      throw BadTrace("more than " + std::to_string(kMaxEvents) + " events");
    }
    if (makes_block(event.op)) {
      event.made = into_.recording.blocks++;
      live_[record.address] = event.made;
    }
    into_.recording.events.push_back(event);
    threads_.push_back(record.thread);
  }

  void make(const RawRecord& record, Op op, std::uint32_t ended = 0) {
    if (record.size > kMaxSize) {
      throw BadTrace("damaged: a size out of range");
    }
    if (const auto found = live_.find(record.address); found != live_.end()) {
      emit(record, {.ended = found->second, .op = Op::kFree});
      live_.erase(found);
      ++into_.mended;
    }
    Event event{.size = record.size, .ended = ended, .op = op};
    if (op == Op::kAligned) {
      event.alignment_log2 =
          std::clamp(record.alignment_log2, kMinAlignmentLog2, kMaxAlignmentLog2);
    }
    emit(record, event);
  }

  void end(const RawRecord& record) {
    const auto found = live_.find(record.address);
    if (found == live_.end()) {
      ++into_.unknown;
      return;
    }
    emit(record, {.ended = found->second, .op = Op::kFree});
    live_.erase(found);
  }

  void begin_realloc(const RawRecord& record) {
    pending_.erase(record.thread);
    if (const auto found = live_.find(record.address); found != live_.end()) {
      pending_[record.thread] = {record.address, found->second};
      live_.erase(found);
    } else {
      ++into_.unknown;
    }
  }

  void end_realloc(const RawRecord& record) {
    const auto found = pending_.find(record.thread);
    if (found == pending_.end()) {
      if (record.address != 0) {
        make(record, Op::kMalloc);
      }
      return;
    }
    const Pending old = found->second;
    pending_.erase(found);
    if (record.address != 0) {
      RawRecord grown = record;
      // To 0 bytes: the next allocator may free the block instead.
      grown.size = std::max<std::uint64_t>(record.size, 1);
      make(grown, Op::kRealloc, old.block);
    } else if (record.size == 0) {
      emit(record, {.ended = old.block, .op = Op::kFree});
    } else {
      live_[old.address] = old.block;
    }
  }

  Packed& into_;
  std::unordered_map<std::uint64_t, std::uint32_t> live_;
  std::unordered_map<std::uint32_t, Pending> pending_;
  std::vector<std::uint32_t> threads_;
};

class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    const bool known = file >= 0 && fstat(file, &facts) == 0;
    const int error = errno;
    if (!known) {
      if (file >= 0) {
        close(file);
      }
      throw BadTrace(std::strerror(error));
    }
    size_ = static_cast<std::size_t>(facts.st_size);
    if (size_ >= kRawHeaderBytes) {
      start_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    close(file);
    if (start_ == MAP_FAILED) {
      throw BadTrace("not a recorder's file");
    }
  }
  ~MappedFile() { munmap(start_, size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const RawHeader& header() const { return *static_cast<const RawHeader*>(start_); }

  std::span<const RawRecord> records() const {
    const auto* first =
        reinterpret_cast<const RawRecord*>(static_cast<const char*>(start_) + kRawHeaderBytes);
    return {first, (size_ - kRawHeaderBytes) / sizeof(RawRecord)};
  }

 private:
  void* start_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace

Packed pack(const std::string& program, std::span<const RawRecord> records) {
  Packed packed;
  packed.recording.program = program;
  Packer packer(packed);
  for (const RawRecord* record : in_order(records)) {
    packer.add(*record);
    packed.last_stamp = record->stamp;
  }
  packer.finish();
  return packed;
}

Packed pack_file(const std::string& path) {
  try {
    const MappedFile file(path);
    const RawHeader& header = file.header();
    if (std::memcmp(header.magic, kRawMagic, sizeof kRawMagic) != 0 ||
        header.version != kRawVersion) {
      throw BadTrace("not a recorder's file");
    }
    const std::string program(header.program, strnlen(header.program, sizeof header.program));
    return pack(program, file.records());
  } catch (const BadTrace& error) {
    throw BadTrace(path + ": " + error.what());
  }
}

}  // namespace bench::trace
