// SPDX-License-Identifier: MIT
// bench_uring: a file in the page cache, read through io_uring into buffers of a pinned pool, whose
// regions are registered once, into malloc's blocks, registered one by one, and into malloc's
// blocks as they are. Every block's contents are checked in a pass before the timed ones. Where the
// kernel refuses, one line says what, and the exit status is 0. Options: bench/rows/rows.h.
//
// Rows: uring/pool/BLOCK, uring/heap_registered/BLOCK, uring/heap/BLOCK: the whole file.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/rows/rows.h"
#include "bench/sizes.h"
#include "bench/uring/reader.h"
#include "spillway/pool.h"

namespace bench {
namespace {

using spillway::Buffer;
using spillway::Pool;
using spillway::PoolConfig;
using spillway::Region;

constexpr uint64_t kFileBytes = uint64_t{64} << 20;
constexpr size_t kBlocks[] = {64 * kKiB, 128 * kKiB, 256 * kKiB};
constexpr unsigned kDepth = 16;  // reads under way
constexpr unsigned kMaxRegions = 64;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_uring: %s\n", what.c_str());
  std::_Exit(1);
}

// The word of the file at a multiple of eight; no two blocks are alike.
constexpr uint64_t word_at(uint64_t offset) { return (offset + 1) * 0x9e3779b97f4a7c15U; }

void check_block(uint64_t offset, const void* data, size_t bytes) {
  const auto* words = static_cast<const uint64_t*>(data);
  for (size_t i = 0; i < bytes / sizeof(uint64_t); ++i) {
    if (words[i] != word_at(offset + i * sizeof(uint64_t))) {
      fail("wrong bytes at " + std::to_string(offset + i * sizeof(uint64_t)));
    }
  }
}

// A file of the words above, without a name, in the page cache.
class TestFile {
 public:
  TestFile() {
    std::string name = std::filesystem::temp_directory_path() / "bench_uring.XXXXXX";
    descriptor_ = mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) {
      fail(name + ": " + std::strerror(errno));
    }
    unlink(name.c_str());
    std::vector<uint64_t> words(256 * kKiB / sizeof(uint64_t));
    const size_t bytes = words.size() * sizeof(uint64_t);
    for (uint64_t offset = 0; offset < kFileBytes; offset += bytes) {
      for (size_t i = 0; i < words.size(); ++i) {
        words[i] = word_at(offset + i * sizeof(uint64_t));
      }
      if (write(descriptor_, words.data(), bytes) != static_cast<ssize_t>(bytes)) {
        fail(name + ": " + std::strerror(errno));
      }
    }
  }
  ~TestFile() { close(descriptor_); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

const TestFile& test_file() {
  static const TestFile file;
  return file;
}

// Buffers of a pool whose regions are registered as they are added.
class PoolBuffers {
 public:
  PoolBuffers(Ring& ring, size_t block_bytes) : pool_(make(block_bytes)) {
    ring.make_places(kMaxRegions);
    pool_.on_region([this, &ring](const Region& region) {  // must not throw
      try {
        ring.fill_place(region.id, region.base, region.length);
      } catch (const Refused& refused) {
        refusal_ = refused.what;
      }
    });
    for (unsigned i = 0; i < kDepth; ++i) {
      Buffer& buffer = buffers_.emplace_back(pool_.alloc_len(block_bytes));
      const auto place = pool_.locate(buffer.data());
      if (!place) {
        fail("a buffer of a pinned pool is in no region");
      }
      targets_.push_back({buffer.data(), static_cast<int>(place->id)});
    }
    if (!refusal_.empty()) {
      throw Refused{refusal_};
    }
  }
  const std::vector<Target>& targets() const { return targets_; }

 private:
  static Pool make(size_t block_bytes) {
    auto pool = Pool::create(PoolConfig()
                                 .with_classes({block_bytes})
                                 .with_max_per_class(kDepth)
                                 .with_alignment(4 * kKiB)
                                 .with_pinned());
    if (!pool) {
      fail(pool.error());
    }
    return std::move(*pool);
  }

  Pool pool_;
  std::string refusal_;
  std::vector<Buffer> buffers_;
  std::vector<Target> targets_;
};

template <bool registered>
class HeapBuffers {
 public:
  HeapBuffers(Ring& ring, size_t block_bytes) {
    if (registered) {
      ring.make_places(kDepth);
    }
    for (unsigned i = 0; i < kDepth; ++i) {
      void* const block = blocks_.emplace_back(std::malloc(block_bytes), std::free).get();
      if (block == nullptr) {
        fail("out of memory");
      }
      if (registered) {
        ring.fill_place(i, block, block_bytes);
      }
      targets_.push_back({block, registered ? static_cast<int>(i) : -1});
    }
  }
  const std::vector<Target>& targets() const { return targets_; }

 private:
  std::vector<std::unique_ptr<void, void (*)(void*)>> blocks_;
  std::vector<Target> targets_;
};

template <class Buffers>
void read_row(benchmark::State& state, size_t block_bytes) {
  const int file = test_file().descriptor();
  try {
    Ring ring(kDepth);
    const Buffers buffers(ring, block_bytes);
    read_file(ring, file, kFileBytes, block_bytes, buffers.targets(),
              [block_bytes](uint64_t offset, const void* data) {
                check_block(offset, data, block_bytes);
              });
    for ([[maybe_unused]] auto step : state) {
      read_file(ring, file, kFileBytes, block_bytes, buffers.targets());
    }
  } catch (const Refused& refused) {
    state.SkipWithError(refused.what.c_str());
    return;
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(kFileBytes));
}

void register_rows() {
  try {
    const Ring ring(kDepth);
  } catch (const Refused& refused) {
    std::printf("bench_uring: nothing measured: %s\n", refused.what.c_str());
    std::exit(0);
  }
  for (const size_t block : kBlocks) {
    const auto add = [block](const char* kind, auto row) {
      const std::string name = "uring/" + std::string(kind) + "/" + size_name(block);
      benchmark::RegisterBenchmark(name.c_str(), row, block)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("pool", read_row<PoolBuffers>);
    add("heap_registered", read_row<HeapBuffers<true>>);
    add("heap", read_row<HeapBuffers<false>>);
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run_rows(argc, argv, bench::register_rows); }
