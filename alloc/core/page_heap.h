// SPDX-License-Identifier: MIT
// The process heap's memory: one arena for all classes and all larger blocks. A block is a run of
// grains (512 bytes) as long as its class, or as its request above the largest class; what one
// class gives back is joined with its free neighbours and is any other's memory without a page
// fault. The idea of runs that are joined is older than this (Kingsley's and Lea's boundary tags,
// tcmalloc's page heap); that bitmaps join by themselves is what makes it lock-free here.
//
//   chunk (2 MiB)       chunk                frontier
//   |AAAABBB...CCCCCC..|DDDD..............| ...        taken: letters; free: dots
//
// Takers get the shortest free run that is long enough, by eighths, and of these the one with the
// lowest address (run_index.h): the upper chunks drain, and new ones are the last resort.
//
// Lock-free; any thread, signal handlers and forked children included, may call any member at any
// time. Cost: a look into the index, and a read-modify-write for each 64 grains that the run has a
// part in; some more for each entry that was left behind.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/chunk.h"
#include "alloc/core/geometry.h"
#include "alloc/core/heap_arena.h"
#include "alloc/core/run_index.h"
#include "alloc/core/spill_freelist.h"
#include "alloc/core/wide_slots.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

// A grain of the arena, counted from its base.
enum class Grain : uint32_t {};

class PageHeap {
 public:
  using Arena = HeapArena;
  struct Config {
    std::span<const uint32_t> block_sizes;  // of the classes, multiples of a grain, ascending
    size_t coloured_from;                   // blocks of at least so many bytes are coloured
    size_t max_bytes;                       // see HeapArena::reserve()
    size_t min_bytes;
    size_t max_run_bytes;  // longer blocks are mimalloc's
  };

  // From now on new chunks get huge pages where the program uses what it takes: as long as nearly
  // all of some chunks is resident that were taken shortly before, and got none. Huge pages make a
  // sparse block resident whole.
  void allow_huge_pages() { huge_allowed_.store(true, std::memory_order_relaxed); }

  // False when the kernel gives no arena: nothing is held then, and the arena owns no address.
  bool start(const Config& config);
  void stop();

  const HeapArena& arena() const { return arena_; }
  HeapArena& arena() { return arena_; }
  WideSlots& wide() { return wide_; }
  const WideSlots& wide() const { return wide_; }

  // --- for thread caches (engine.h)

  // Up to `wanted` blocks of the class, neighbours, whose state bytes tell whether they are clean,
  // and how many; 0: there is no memory. `who` tells threads apart, see start_hint(); 0: not told.
  uint32_t take(ClassIndex index, const uint32_t& who, void** out, uint32_t wanted);
  // Gives blocks (at most kMaxBatch) back, whose state bytes are kFree, or kClean for those never
  // handed out. Returns one that was free already, or null.
  [[nodiscard]] void* put(ClassIndex index, const uint32_t& who, void* const* blocks,
                          uint32_t count);
  static uint32_t start_hint(ClassIndex /*index*/, uint32_t newcomer) { return newcomer + 1; }

  // --- by size

  // A block of the class at a multiple of `alignment`, at most a chunk; null: there is none.
  void* take_aligned(ClassIndex index, size_t alignment);
  // A block above the largest class, at a multiple of `alignment`, coloured if that is 1. Not
  // marked live. Null: longer than max_run_bytes, or no memory.
  void* take_large(size_t size, size_t alignment);
  // The same for a block that grows by realloc(): at the start of a free run that is kRoomToGrow
  // times as long and has memory. Null: there is none, or another thread was quicker.
  void* take_with_room(size_t size);
  // A block of take_large() back, its state byte already kFree. False: it was free already.
  [[nodiscard]] bool give_large(void* block);
  // Has the first `size` bytes of such a block read as zero.
  void clear(void* block, size_t size);

  // Bytes that may be used of a live block that no wide slot has.
  size_t usable(const void* block) const {
    const PageEntry& entry = arena_.entry_at(arena_.offset(block));
    const ClassIndex index = entry.class_index();
    return index != kNoClass ? block_size_[raw(index)] : usable_large(block);
  }
  // Makes such a block, where it is, one of class `index`, or a large one of `size` bytes with
  // kNoClass. False: the grains behind it are in use, `size` is longer than max_run_bytes, or the
  // class is no coloured one and the block starts inside a grain.
  bool resize(void* block, ClassIndex index, size_t size);
  bool is_wide(const void* block) const { return wide_.owns(arena_.offset(block)); }

  // The live block that `offset`, in the arena and below the wide area, is in; false: none. Reads
  // the entries of all pages in front that a block may begin in.
  struct Found {
    size_t start;
    size_t bytes;
    ClassIndex index;
  };
  bool find(size_t offset, Found& found) const;

  // --- for the scavenger

  struct FreeBytes {
    uint64_t recent = 0;  // freed since the last look
    uint64_t aged = 0;    // before that
    uint64_t clean = 0;   // no memory
    uint64_t part = 0;    // of the first two, parts of pages that are in use otherwise
    uint64_t dirty() const { return recent + aged; }
    uint64_t whole_pages() const { return dirty() - part; }
  };
  FreeBytes free_bytes() const;
  // Bytes of free pages with memory, but no more than `max_bytes` and a chunk.
  uint64_t free_bytes_up_to(uint64_t max_bytes) const;
  // Recent pages are aged from now on, and blocks that stayed in the spill freelists are free for
  // all classes. Once an interval; one caller at a time.
  void age_pages();
  // Has all of them go the same way; returns the bytes.
  uint64_t empty_spill_freelists();
  // Gives whole free pages of one chunk that are aged, or recent with `recent_too`, to the kernel,
  // at most `max_bytes`. Returns the bytes. `cursor` is the caller's and starts at 0; it is 0 again
  // when all chunks were seen, the newest first. One caller at a time. When the kernel refuses, the
  // pages stay and `refused` is set.
  uint64_t purge(uint32_t& cursor, uint64_t max_bytes, bool recent_too, bool& refused);

  // The chunks in use. relaxed: a momentary answer.
  uint64_t size_bytes() const {
    return uint64_t{frontier_.load(std::memory_order_relaxed)} << kChunkShift;
  }
  // The same and what wide slots hold.
  uint64_t extent_bytes() const {
    const uint64_t touched = wide_.touched_bytes();
    const uint64_t purged = wide_.purged_bytes();
    return size_bytes() + touched - (purged < touched ? purged : touched);
  }
  // Grains that were handed out without memory, since the start, but for those that came back
  // untouched; of dirty pages all: about what was touched, whole pages of which purge() returns.
  uint64_t fresh_bytes() const { return fresh_bytes_.load(std::memory_order_relaxed); }
  // Of large blocks, since the start.
  uint64_t large_taken_bytes() const {
    return large_taken_.load(std::memory_order_relaxed) << kGrainShift;
  }
  // Of a sealed arena: all that was never committed.
  void give_up_untouched();
  // The bytes of that, about.
  uint64_t untouched_bytes() const;
  // In a forked child: recovers the pages that a lost thread was purging and the lists it left
  // half changed. A block that such a thread was taking or giving stays lost to the child.
  void recover_after_fork(bool purge_was_ours);

  // The tables of what is in use, at most.
  uint64_t metadata_bytes() const {
    const uint64_t chunks = size_bytes() >> kChunkShift;
    return index_bytes_ + (chunks + 1) * sizeof(Chunk) + chunks * Chunk::kPages * sizeof(PageEntry);
  }

  void collect(stats::Snapshot& snapshot) const;

 private:
  static constexpr uint32_t kNoGrain = UINT32_MAX;
  static constexpr uint32_t kNoChunk = UINT32_MAX;
  // Room that all spill freelists together may have: so much, and a share of the heap
  // (bench_threads all_to_all/4K-64K/8t: 420 ns with a 32nd, 245 so, 205 with a half; bench_memory
  // threads16/peak_mib: 3.04, 3.17, 3.29).
  static constexpr uint64_t kMinSpillRoom = 256 * kKiB;
  static constexpr uint64_t kSpillShare = 8;
  // Large blocks are coloured by whole pages' lines; the pages behind their first one say in four
  // kinds how long they are.
  static constexpr uint32_t kLargeSlack = Chunk::kGrainsPerPage;
  // A block that has to move again when it has grown so much is copied twice in all.
  static constexpr uint32_t kRoomToGrow = 2;

  size_t offset_of(uint32_t grain) const { return size_t{grain} << kGrainShift; }
  static uint32_t grain_at(size_t offset) { return static_cast<uint32_t>(offset >> kGrainShift); }
  uint32_t frontier() const {
    // acquire: pairs with the release in grow(): the chunks' words are committed.
    return frontier_.load(std::memory_order_acquire);
  }
  static uint32_t chunk_of(uint32_t grain) { return grain / kGrainsPerChunk; }

  // Past the spill freelists.
  uint32_t take_fresh(ClassIndex index, void** out, uint32_t wanted);
  // False: it was free already.
  bool give_block(ClassIndex index, const void* block, bool dirty);
  void add_spill_room(ClassIndex index, uint32_t blocks);
  uint64_t give_spilled(ClassIndex index, uint32_t blocks);
  // Visits the classes whose freelist has room. A process that spills nothing touches no list.
  template <typename Visit>
  void for_each_spilled(Visit visit) const {
    // relaxed: a count, raised before a list gets room.
    for (uint32_t i = 1; spill_room_.load(std::memory_order_relaxed) != 0 && i <= class_count_;
         ++i) {
      if (spilled_[i].has_room()) {
        visit(ClassIndex{static_cast<uint8_t>(i)});
      }
    }
  }

  // 64 grains, counted from the arena's base, up to those of one chunk behind the frontier, whose
  // table is always committed and says that nothing of it is free.
  uint64_t word(uint32_t index) const {
    return chunks_[index / Chunk::kWords].word(index % Chunk::kWords);
  }
  // The free run from `grain` on, which is free, and the one up to it: how long, `max_grains` at
  // most or a word more.
  uint32_t free_from(uint32_t grain, uint32_t max_grains) const {
    const uint32_t inside = grain % Chunk::kBits;
    const auto ones = static_cast<uint32_t>(std::countr_one(word(grain / Chunk::kBits) >> inside));
    return ones < Chunk::kBits - inside ? ones : free_beyond(grain, max_grains);
  }
  // What is left of free_from() when all grains of the first word from `grain` on are free.
  uint32_t free_beyond(uint32_t grain, uint32_t max_grains) const;
  uint32_t free_before(uint32_t grain, uint32_t max_grains) const;

  // A run of `grains` from a multiple of `alignment` on, found in the index and claimed; of as many
  // times `grains` as `max_count`, where there are.
  uint32_t take_run(uint32_t grains, uint32_t alignment, uint32_t max_count, uint32_t& count);
  // The first `grains` of a free run of at least `room` grains with memory. kNoGrain: there is
  // none, or another thread was quicker.
  uint32_t take_part_of_run(uint32_t grains, uint32_t room);
  struct Run {
    uint32_t start = kNoGrain;
    uint32_t length = 0;
  };
  static uint32_t align_grain(uint32_t grain, uint32_t alignment) {
    return (grain + alignment - 1) & ~(alignment - 1);
  }
  static bool has_room(Run run, uint32_t grains, uint32_t alignment) {
    const uint32_t lost = align_grain(run.start, alignment) - run.start;
    return run.length >= grains && run.length - grains >= lost;
  }
  // The first run that starts in a word and for which `accepts(Run)` is true, or none; of each run
  // so many grains at most, or a word more.
  template <typename Accepts>
  Run find_start(uint32_t word, uint32_t max_grains, Accepts accepts) const;
  // The shortest run that starts in an entry's word, is of its bucket and has room. `any`: whether
  // one is of its bucket.
  Run find_in(RunIndex::Entry entry, uint32_t grains, uint32_t alignment, bool& any) const;
  Run find(uint32_t grains, uint32_t alignment);
  // The first run that has room, by the chunks themselves: one that another thread has not told the
  // index of yet is found, too. None when one as long was looked for in vain and the heap has
  // grown by less than an eighth since.
  Run search(uint32_t grains, uint32_t alignment);
  // The same without alignment, for runs shorter than a chunk, in a heap of a few chunks; none: the
  // other has to look.
  Run find_quickly(uint32_t grains);
  // The grains of a word at which free runs start.
  uint64_t starts_in(uint32_t at) const {
    const uint64_t bits = word(at);
    const uint64_t before = at != 0 ? word(at - 1) >> (Chunk::kBits - 1) : 0;
    return bits & ~(bits << 1 | before);
  }
  // Removes an entry whose word has no run of its bucket. Another thread may have cut that run, or
  // made one, meanwhile: afterwards all runs that start in the word have entries. Returns the
  // lowest bucket of these, `min_bucket` or above, or RunIndex::kNone.
  uint32_t remove_entry(RunIndex::Entry entry, uint32_t min_bucket = 0);
  // Makes the entry of a run.
  void index(Run run);
  // All runs that start in a word; returns as remove_entry() does.
  uint32_t index_word(uint32_t at, uint32_t min_bucket = 0);
  // As take_run(), out of new chunks.
  uint32_t take_new(uint32_t grains, uint32_t alignment, uint32_t max_count, uint32_t& count);
  // `grains` of a run that the index had, behind its first `lost`; what is left in front and behind
  // are runs of their own then. False: another thread was quicker, and nothing was claimed.
  bool claim_of(Run run, uint32_t lost, uint32_t grains);
  // All or nothing.
  bool claim_only(uint32_t grain, uint32_t grains);
  // The same; the grains behind are a run of their own from then on.
  bool claim(uint32_t grain, uint32_t grains);
  [[nodiscard]] bool give(uint32_t grain, uint32_t grains, bool dirty);
  // Has the index know of the run that these grains are in, which were free a moment ago.
  void join(uint32_t grain, uint32_t grains);
  void join_pages(uint32_t number, const uint64_t (&pages)[8]);
  // `count` new chunks, all taken: the first, or kNoChunk.
  uint32_t grow(uint32_t count);
  bool commit_up_to(uint32_t chunks, uint32_t wanted);
  void consider_huge_pages(uint32_t from, uint32_t to);

  // As Chunk::clean_grains().
  uint32_t clean_grains(uint32_t grain, uint32_t grains) const;
  // The block of a taken run, not marked live; adds its grains that have memory to `reused`.
  void* hand_out(ClassIndex index, uint32_t grain, size_t colour, uint32_t& reused);
  // Notes what a taken run costs; returns how many of its grains have memory.
  uint32_t note_taken(uint32_t grain, uint32_t grains);
  void note_reused(uint32_t grains) {
    if (grains != 0) {
      reused_.fetch_add(grains, std::memory_order_relaxed);
    }
  }

  static uint32_t large_grains_for(size_t size, bool coloured);
  // The same for a run of a block above the largest class.
  void* hand_out_large(uint32_t grain, uint32_t grains, bool coloured);
  size_t usable_large(const void* block) const {
    const size_t offset = arena_.offset(block);
    return offset_of(large_grains(offset)) - offset % kGrainSize;
  }
  uint32_t large_grains(size_t offset) const;
  void set_large_grains(size_t offset, uint32_t grains);
  uint32_t grains_of(ClassIndex index, size_t offset) const {
    return index != kNoClass ? run_[raw(index)] : large_grains(offset);
  }
  size_t colour(ClassIndex index, uint32_t grain) const;

  HeapArena arena_;  // first: read on every free()
  WideSlots wide_;
  Chunk* chunks_ = nullptr;
  size_t chunks_bytes_ = 0;
  RunIndex index_;
  uint16_t run_[kMaxClasses] = {};         // grains of a class's block
  uint32_t block_size_[kMaxClasses] = {};  // bytes that a caller may use
  uint32_t class_count_ = 0;
  uint32_t first_coloured_ = kMaxClasses;  // class
  uint32_t chunk_count_ = 0;               // that the arena has room for
  size_t max_run_bytes_ = 0;
  void* index_memory_ = nullptr;
  size_t index_bytes_ = 0;
  std::atomic<uint32_t> frontier_{0};   // chunks in use: the ones below; published by release
  std::atomic<uint32_t> committed_{0};  // chunks the kernel gave memory for
  // relaxed, all three: hints.
  std::atomic<uint32_t> searched_{0};      // the frontier when search() last found nothing
  std::atomic<uint32_t> searched_for_{0};  // and of how many grains
  std::atomic<uint32_t> searched_alignment_{1};
  // relaxed, all: counts that order nothing.
  std::atomic<uint64_t> fresh_bytes_{0};
  std::atomic<uint64_t> large_blocks_{0};
  std::atomic<uint64_t> large_grains_{0};
  std::atomic<uint64_t> large_allocations_{0};
  std::atomic<uint64_t> large_taken_{0};  // grains
  // Blocks that became large ones where they are, and the reverse.
  std::atomic<uint64_t> large_came_{0};
  std::atomic<uint64_t> large_went_{0};
  std::atomic<uint64_t> reused_{0};  // grains handed out with memory
  mutable stats::ShownCounter shown_large_frees_;
  // relaxed, both: a wish and what it goes by.
  std::atomic<bool> huge_allowed_{false};
  std::atomic<uint32_t> huge_control_{kNoChunk};  // the first of the last step, without huge pages
  SpillFreelist* spilled_ = nullptr;              // one of each class
  std::atomic<uint64_t> spill_room_{0};           // bytes; relaxed: a count
  // Pages out of the chunks for their purge.
  OwnedCell<uint32_t> in_hand_chunk_{kNoChunk};
  uint64_t in_hand_pages_[8] = {};
};

}  // namespace spillway::core
