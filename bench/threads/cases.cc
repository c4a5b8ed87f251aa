// SPDX-License-Identifier: MIT
#include "bench/threads/cases.h"

#include "bench/sizes.h"
#include "bench/threads/all_to_all.h"
#include "bench/threads/free_only.h"
#include "bench/threads/handover.h"
#include "bench/threads/pipeline.h"
#include "bench/threads/replacement.h"
#include "bench/threads/thread_churn.h"

namespace bench {
namespace {

constexpr SizeRange kWhole{4 * kKiB, 1024 * kKiB};
constexpr SizeRange kLower{4 * kKiB, 64 * kKiB};
constexpr SizeRange kSmallToLower{16, 64 * kKiB};

template <class Blocks, Use use>
Case replacement(const char* kind, const char* sizes, ReplacementPlan plan) {
  return {std::string(kind) + "/" + std::to_string(plan.live) + "/" + sizes + "/" +
              std::to_string(plan.threads) + "t",
          plan.threads, [plan] { return make_replacement<Blocks, use>(plan); }};
}

Case replace(const char* sizes, ReplacementPlan plan) {
  return replacement<LoadedBlocks, Use::kNone>("replace", sizes, plan);
}

Case replace_word(const char* sizes, ReplacementPlan plan) {
  return replacement<LoadedBlocks, Use::kFirstWord>("replace_word", sizes, plan);
}

Case replace_empty(const char* sizes, ReplacementPlan plan) {
  return replacement<NoBlocks, Use::kNone>("empty_replace", sizes, plan);
}

template <class Blocks, Use use>
Case handover(const char* kind, std::size_t size) {
  return {std::string(kind) + "/" + std::to_string(size / kKiB) + "KiB", 2,
          [size] { return make_handover<Blocks, use>(size); }};
}

template <class Blocks>
Case pipeline(const char* kind, std::size_t size) {
  return {std::string(kind) + "/" + std::to_string(size / kKiB) + "KiB/4t", 4,
          [size] { return make_pipeline<Blocks>(size); }};
}

Case free_only(std::size_t size) {
  return {"free_only/" + std::to_string(size / kKiB) + "KiB/4t", 4,
          [size] { return make_free_only(size); }};
}

template <class Blocks>
Case all_to_all(const char* kind, const char* sizes, SizeRange range) {
  return {std::string(kind) + "/" + sizes + "/8t", 8,
          [range] { return make_all_to_all<Blocks>(8, range); }};
}

template <class Blocks>
Case thread_churn(const char* kind, const char* sizes, SizeRange range) {
  return {std::string(kind) + "/" + std::to_string(kBlocksOfALife) + "/" + sizes + "/2t", 2,
          [range] { return make_thread_churn<Blocks>(2, range); }};
}

}  // namespace

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      replace_empty("4K-1M", {1, 256, kWhole}),
      replace_empty("4K-1M", {2, 256, kWhole}),
      replace("4K-1M", {1, 256, kWhole}),
      replace("4K-1M", {2, 256, kWhole}),
      replace_word("4K-1M", {1, 256, kWhole}),
      replace_word("4K-1M", {2, 256, kWhole}),
      replace("4K-64K", {2, 1024, kLower}),
      replace_word("4K-64K", {2, 1024, kLower}),
      replace_empty("4K-64K", {8, 64, kLower}),
      replace("4K-64K", {1, 64, kLower}),
      replace("4K-64K", {8, 64, kLower}),
      replace("4K-1M", {1, 64, kWhole}),
      replace("4K-1M", {8, 64, kWhole}),
      replace("4K-64K", {64, 64, kLower}),
      replace("4K-1M", {2, 64, kWhole}),
      replace("4K-1M", {64, 64, kWhole}),
      replace("16B-64K", {2, 256, kSmallToLower}),
      handover<NoBlocks, Use::kFirstWord>("empty_handover", 16 * kKiB),
      handover<LoadedBlocks, Use::kFirstWord>("handover", 16 * kKiB),
      handover<LoadedBlocks, Use::kFirstWord>("handover", 256 * kKiB),
      handover<LoadedBlocks, Use::kAll>("handover_filled", 16 * kKiB),
      handover<LoadedBlocks, Use::kAll>("handover_filled", 256 * kKiB),
      pipeline<PipelineStandIns>("empty_pipeline", 16 * kKiB),
      pipeline<LoadedBlocks>("pipeline", 16 * kKiB),
      free_only(16 * kKiB),
      all_to_all<AllToAllStandIns>("empty_all_to_all", "4K-64K", kLower),
      all_to_all<LoadedBlocks>("all_to_all", "4K-64K", kLower),
      all_to_all<LoadedBlocks>("all_to_all", "4K-1M", kWhole),
      thread_churn<NoBlocks>("empty_thread_churn", "4K-1M", kWhole),
      thread_churn<LoadedBlocks>("thread_churn", "4K-1M", kWhole),
  };
  return all;
}

}  // namespace bench
