// SPDX-License-Identifier: MIT
// bench_freelist: the lock-free list of free slots against one of vectors and mutexes, and what a
// take costs when nothing is free. Needs no allocator in particular. Options: bench/rows/rows.h.
//
// Rows: freelist/bits/BATCH/THREADSt and freelist/mutex/BATCH/THREADSt, per slot: take a batch, put
// it back; bits_mixed and mutex_mixed: put others back; freelist/empty/64 and freelist/empty/8M,
// per take.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alloc/core/freelist.h"
#include "bench/freelist/striped_mutex.h"
#include "bench/rows/lanes.h"
#include "bench/rows/rows.h"

namespace bench {
namespace {

using spillway::SlotIndex;
using spillway::core::Freelist;

constexpr uint32_t kSlots = 8192;
constexpr uint32_t kMaxBatch = 32;

// The freelist with the memory that attach() wants.
class BitList {
 public:
  void attach(uint32_t slots) {
    memory_.assign(Freelist::bytes_needed(slots) / sizeof(uint64_t), 0);
    list_.attach(memory_.data(), slots);
  }
  uint32_t take(uint32_t& hint, SlotIndex* out, uint32_t wanted) {
    return list_.take(hint, out, wanted);
  }
  void put(uint32_t& hint, const SlotIndex* slots, uint32_t count) {
    static_cast<void>(list_.put(hint, slots, count));
  }
  uint32_t count(uint32_t slots) const { return list_.count(slots); }

 private:
  std::vector<uint64_t> memory_;
  Freelist list_;
};

// Where the first of `threads` equal parts of the list begins for a thread, and its share of slots
// lies: as engines spread newcomers.
uint32_t start_hint(const BitList& /*list*/, uint32_t thread, uint32_t threads) {
  return kSlots / Freelist::kSlotsPerWord / threads * thread;
}
uint32_t start_hint(const StripedMutexList& /*list*/, uint32_t thread, uint32_t threads) {
  return StripedMutexList::kStripes / threads * thread;
}

// All slots are free; each thread's share was put there with its own hint.
template <class List>
std::shared_ptr<List> full_list(uint32_t threads) {
  auto list = std::make_shared<List>();
  list->attach(kSlots);
  const uint32_t share = kSlots / threads;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    uint32_t hint = start_hint(*list, slot / share, threads);
    const SlotIndex one{slot};
    list->put(hint, &one, 1);
  }
  return list;
}

// Takes a batch and puts it back. Mixed: puts back others, which it took earlier, drawn at random;
// slots then come back in another order and company than they went.
template <class List, bool mixed>
class TakeAndPut {
 public:
  TakeAndPut(std::shared_ptr<List> list, uint32_t hint, uint32_t batch)
      : list_(std::move(list)), hint_(hint), batch_(batch) {
    if (!mixed) {
      return;
    }
    held_.resize(kHeld);
    for (uint32_t have = 0; have < kHeld;) {
      have += list_->take(hint_, held_.data() + have, kHeld - have);
    }
    std::mt19937_64 random(hint);
    std::generate(std::begin(drawn_), std::end(drawn_),
                  [&random] { return static_cast<uint8_t>(random() % kHeld); });
  }

  uint64_t round() {
    SlotIndex slots[kMaxBatch];
    const uint32_t taken = list_->take(hint_, slots, batch_);
    benchmark::DoNotOptimize(slots);
    for (uint32_t i = 0; mixed && i < taken; ++i) {
      std::swap(slots[i], held_[drawn_[next_++ % kDrawn]]);
    }
    list_->put(hint_, slots, taken);
    return taken;
  }

 private:
  static constexpr uint32_t kHeld = 256;
  static constexpr uint32_t kDrawn = 4096;

  std::shared_ptr<List> list_;
  uint32_t hint_;
  uint32_t batch_;
  std::vector<SlotIndex> held_;
  uint8_t drawn_[kDrawn] = {};
  uint32_t next_ = 0;
};

template <class List, bool mixed>
void register_cell(const char* kind, uint32_t batch, uint32_t threads) {
  const std::string name = std::string("freelist/") + kind + "/" + std::to_string(batch) + "/" +
                           std::to_string(threads) + "t";
  register_crew_row(name, [batch, threads] {
    const auto list = full_list<List>(threads);
    return make_lanes(static_cast<int>(threads), [list, batch, threads](int thread) {
      const uint32_t hint = start_hint(*list, static_cast<uint32_t>(thread), threads);
      return TakeAndPut<List, mixed>(list, hint, batch);
    });
  });
}

// The list was full and emptied again, so that its summaries have been in use.
void empty_take(benchmark::State& state, uint32_t slots) {
  constexpr uint32_t kPiece = 64;
  BitList list;
  list.attach(slots);
  SlotIndex piece[kPiece];
  uint32_t hint = 0;
  for (uint32_t slot = 0; slot < slots; slot += kPiece) {
    for (uint32_t i = 0; i < kPiece; ++i) {
      piece[i] = SlotIndex{slot + i};
    }
    list.put(hint, piece, kPiece);
  }
  while (list.take(hint, piece, kPiece) != 0) {
  }
  for ([[maybe_unused]] auto step : state) {
    benchmark::DoNotOptimize(list.take(hint, piece, 1));
  }
  if (list.count(slots) != 0) {
    state.SkipWithError("the list was not empty");
  }
}

void register_rows() {
  for (const uint32_t threads : {1U, 8U}) {
    for (const uint32_t batch : {1U, 8U, kMaxBatch}) {
      register_cell<StripedMutexList, false>("mutex", batch, threads);
      register_cell<BitList, false>("bits", batch, threads);
      register_cell<StripedMutexList, true>("mutex_mixed", batch, threads);
      register_cell<BitList, true>("bits_mixed", batch, threads);
    }
  }
  benchmark::RegisterBenchmark("freelist/empty/64", empty_take, 64);
  benchmark::RegisterBenchmark("freelist/empty/8M", empty_take, 8U << 20);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run_rows(argc, argv, bench::register_rows); }
