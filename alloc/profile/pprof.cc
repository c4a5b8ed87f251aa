// SPDX-License-Identifier: MIT
#include "alloc/profile/pprof.h"

#include <new>

#include "alloc/base/bits.h"
#include "alloc/base/line.h"
#include "alloc/os/os.h"
#include "alloc/profile/address_set.h"
#include "alloc/profile/mapped_files.h"
#include "alloc/profile/protobuf.h"

namespace spillway::profile {
namespace {

// Numbers of profile.proto's fields, each with its message.
namespace profile_field {
constexpr uint32_t kSampleType = 1;
constexpr uint32_t kSample = 2;
constexpr uint32_t kMapping = 3;
constexpr uint32_t kLocation = 4;
constexpr uint32_t kString = 6;
constexpr uint32_t kDropFrames = 7;
constexpr uint32_t kTime = 9;
constexpr uint32_t kPeriodType = 11;
constexpr uint32_t kPeriod = 12;
constexpr uint32_t kComment = 13;
constexpr uint32_t kDefaultSampleType = 14;
}  // namespace profile_field

// The strings that do not depend on the process, in their order: a string is named by its place.
constexpr std::string_view kStrings[] = {
    "", "alloc_objects", "count", "alloc_space", "bytes", "inuse_objects", "inuse_space", "space",
    // Leading frames of the allocator's, where it is linked into the program.
    "malloc|calloc|realloc|reallocarray|free|memalign|aligned_alloc|posix_memalign|valloc|pvalloc|"
    "operator new(\\[\\])?.*|spillway::.*|spillway_.*|__libc_(malloc|calloc|realloc|memalign)",
    "Spillway: sampled allocations; counts and bytes are what the samples stand for"};
enum Text : uint64_t {
  kNone,
  kAllocObjects,
  kCount,
  kAllocSpace,
  kBytes,
  kInuseObjects,
  kInuseSpace,
  kSpace,
  kDrop,
  kComment
};
constexpr uint64_t kFirstOwnText = sizeof kStrings / sizeof kStrings[0];
static_assert(kFirstOwnText == kComment + 1);

uint64_t whole_blocks(uint64_t blocks) {
  constexpr uint64_t kHalf = uint64_t{1} << (Sampler::kBlockShift - 1);
  return (blocks + kHalf) >> Sampler::kBlockShift;
}

class Writer {
 public:
  Writer(const Profile& profile, ByteOutput& output, const MappedFiles& files, AddressSet& known)
      : profile_(profile), output_(output), files_(files), known_(known) {}

  void write() {
    write_types();
    for (size_t i = 0; i < files_.count(); ++i) {
      write_mapping(i);
    }
    profile_.stacks().for_each([this](const Stack& stack) { write_stack(stack); });
    write_strings();
    write_sizes(kFirstOwnText + 2 * files_.count());
  }

 private:
  // Of the longest one, a sample: 64 numbers of locations with 10 bytes at most, and 4 values.
  using Part = Message<1024>;

  void put(uint32_t field, const Part& part) { put_bytes(output_, field, part.view()); }

  void write_type(uint32_t field, uint64_t what, uint64_t unit) {
    Part type;
    put_number(type, 1, what);
    put_number(type, 2, unit);
    put(field, type);
  }

  void write_types() {
    write_type(profile_field::kSampleType, kAllocObjects, kCount);
    write_type(profile_field::kSampleType, kAllocSpace, kBytes);
    write_type(profile_field::kSampleType, kInuseObjects, kCount);
    write_type(profile_field::kSampleType, kInuseSpace, kBytes);
    write_type(profile_field::kPeriodType, kSpace, kBytes);
    put_number(output_, profile_field::kPeriod, profile_.rate());
    put_number(output_, profile_field::kTime, os::wall_clock_ns());
    put_number(output_, profile_field::kDropFrames, kDrop);
    put_number(output_, profile_field::kComment, kComment);
    put_number(output_, profile_field::kDefaultSampleType, kInuseSpace);
  }

  void write_mapping(size_t index) {
    const MappedFile& file = files_.at(index);
    Part mapping;
    put_number(mapping, 1, index + 1);
    put_number(mapping, 2, file.start);
    put_number(mapping, 3, file.end);
    put_number(mapping, 4, file.offset);
    put_number(mapping, 5, kFirstOwnText + 2 * index);
    put_number(mapping, 6, kFirstOwnText + 2 * index + 1);
    put(profile_field::kMapping, mapping);
  }

  // A location's number is its address.
  void write_location(uintptr_t address) {
    Part location;
    put_number(location, 1, address);
    put_number(location, 2, files_.find(address));
    put_number(location, 3, address);
    put(profile_field::kLocation, location);
  }

  void write_stack(const Stack& stack) {
    const StackCounts::Sum sum = stack.counts.sum();
    const uint64_t values[] = {whole_blocks(sum.allocated.blocks), sum.allocated.bytes,
                               whole_blocks(sum.live.blocks), sum.live.bytes};
    for (uint32_t i = 0; i < stack.frame_count; ++i) {
      if (known_.add(stack.frames()[i])) {
        write_location(stack.frames()[i]);
      }
    }
    Part sample;
    put_packed(sample, 1, stack.frame_count, [&](size_t i) { return stack.frames()[i]; });
    put_packed(sample, 2, sizeof values / sizeof values[0], [&](size_t i) { return values[i]; });
    put(profile_field::kSample, sample);
  }

  void write_strings() {
    for (const std::string_view text : kStrings) {
      put_bytes(output_, profile_field::kString, text);
    }
    for (size_t i = 0; i < files_.count(); ++i) {
      const MappedFile& file = files_.at(i);
      put_bytes(output_, profile_field::kString, files_.name(file));
      Message<2 * sizeof file.build_id> digits;
      for (size_t byte = 0; byte < file.build_id_length; ++byte) {
        constexpr char kDigits[] = "0123456789abcdef";
        digits.put(static_cast<uint8_t>(kDigits[file.build_id[byte] >> 4]));
        digits.put(static_cast<uint8_t>(kDigits[file.build_id[byte] & 15]));
      }
      put_bytes(output_, profile_field::kString, digits.view());
    }
  }

  // A comment for each bucket of sizes that had a sample, with the same four numbers as a stack:
  // "size>=4096 ALLOC_OBJECTS ALLOC_SPACE INUSE_OBJECTS INUSE_SPACE".
  void write_sizes(uint64_t text) {
    for (size_t bucket = 0; bucket < SizeCounts::kBuckets; ++bucket) {
      const StackCounts::Sum sum = profile_.sizes().sum(bucket);
      if (sum.allocated.blocks == 0) {
        continue;
      }
      Line<128> line;
      line.text("size>=").number(SizeCounts::min_size(bucket));
      line.put(' ').number(whole_blocks(sum.allocated.blocks));
      line.put(' ').number(sum.allocated.bytes);
      line.put(' ').number(whole_blocks(sum.live.blocks));
      line.put(' ').number(sum.live.bytes);
      put_bytes(output_, profile_field::kString, line.view());
      put_number(output_, profile_field::kComment, text++);
    }
  }

  const Profile& profile_;
  ByteOutput& output_;
  const MappedFiles& files_;
  AddressSet& known_;
};

struct Room {
  MappedFiles files;
  char buffer[ByteOutput::kBufferBytes];
};

}  // namespace

bool write_pprof(const Profile& profile, ByteSink sink) {
  size_t frames = 0;
  profile.stacks().for_each([&](const Stack& stack) { frames += stack.frame_count; });
  // For stacks that come meanwhile; beyond, a location may be missing.
  constexpr size_t kMoreFrames = 16 * kMaxFrames;
  frames += kMoreFrames;
  const size_t room_bytes = align_up(sizeof(Room), alignof(std::max_align_t));
  const size_t bytes = align_up(room_bytes + AddressSet::bytes_needed(frames), os::page_size());
  void* const memory = os::reserve(bytes, os::Access::kReadWrite, nullptr);
  if (memory == nullptr) {
    return false;
  }
  auto* const room = ::new (memory) Room;  // its memory is zero
  room->files.read();
  AddressSet known(static_cast<char*>(memory) + room_bytes, frames);
  ByteOutput output(sink, room->buffer);
  Writer(profile, output, room->files, known).write();
  const bool good = output.finish();
  os::release(memory, bytes);
  return good;
}

}  // namespace spillway::profile
