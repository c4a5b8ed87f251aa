// SPDX-License-Identifier: MIT
#include <cmath>
#include <deque>
#include <random>
#include <vector>

#include "bench/contention/workload.h"

namespace bench::contention {
namespace {

// A thread's own sizes and indices: they do not depend on how threads are interleaved.
class Draw {
 public:
  Draw(const Plan& plan, unsigned thread)
      : random_(plan.seed * 1000 + thread),
        logarithm_(std::log2(static_cast<double>(plan.sizes.smallest)),
                   std::log2(static_cast<double>(plan.sizes.largest))),
        index_(0, plan.blocks - 1) {}
  uint64_t size() { return static_cast<uint64_t>(std::exp2(logarithm_(random_))); }
  std::size_t index() { return index_(random_); }

 private:
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> logarithm_;
  std::uniform_int_distribution<std::size_t> index_;
};

std::vector<Draw> draws(const Plan& plan) {
  std::vector<Draw> all;
  for (unsigned thread = 0; thread < plan.threads; ++thread) {
    all.emplace_back(plan, thread);
  }
  return all;
}

class Replace final : public Workload {
 public:
  explicit Replace(const Plan& plan) : draws_(draws(plan)) {
    for (unsigned thread = 0; thread < plan.threads; ++thread) {
      owners_.push_back({std::vector<uint64_t>(plan.blocks), 0});
    }
  }

  std::optional<Call> next(unsigned thread) override {
    Owner& owner = owners_[thread];
    if (owner.filled < owner.blocks.size()) {
      owner.place = owner.filled;
    } else if (owner.blocks[owner.place] != 0) {
      owner.place = draws_[thread].index();
      return Call{true, owner.blocks[owner.place]};
    }
    return Call{false, draws_[thread].size()};
  }

  void done(unsigned thread, const Call& call, uint64_t result) override {
    Owner& owner = owners_[thread];
    owner.blocks[owner.place] = call.frees ? 0 : result;
    owner.filled += owner.filled < owner.blocks.size();
  }

 private:
  struct Owner {
    std::vector<uint64_t> blocks;
    std::size_t filled;
    std::size_t place = 0;  // 0 there: has been freed, and is to be filled
  };
  std::vector<Draw> draws_;
  std::vector<Owner> owners_;
};

class Burst final : public Workload {
 public:
  explicit Burst(const Plan& plan)
      : size_(plan.blocks), draws_(draws(plan)), owners_(plan.threads) {}

  std::optional<Call> next(unsigned thread) override {
    const Owner& owner = owners_[thread];
    return owner.frees ? Call{true, owner.blocks[owner.freed]} : Call{false, draws_[thread].size()};
  }

  void done(unsigned thread, const Call& call, uint64_t result) override {
    Owner& owner = owners_[thread];
    if (!call.frees) {
      owner.blocks.push_back(result);
      owner.frees = owner.blocks.size() == size_;
    } else if (++owner.freed == size_) {
      owner = Owner{};
    }
  }

 private:
  struct Owner {
    std::vector<uint64_t> blocks;
    std::size_t freed = 0;
    bool frees = false;
  };
  const std::size_t size_;
  std::vector<Draw> draws_;
  std::vector<Owner> owners_;
};

class Handover final : public Workload {
 public:
  explicit Handover(const Plan& plan)
      : capacity_(plan.blocks), draws_(draws(plan)), under_way_(plan.threads / 2) {}

  std::optional<Call> next(unsigned thread) override {
    const auto& blocks = under_way_[thread / 2];
    if (is_consumer(thread)) {
      return blocks.empty() ? std::nullopt : std::optional(Call{true, blocks.front()});
    }
    return blocks.size() == capacity_ ? std::nullopt
                                      : std::optional(Call{false, draws_[thread].size()});
  }

  void done(unsigned thread, const Call& call, uint64_t result) override {
    auto& blocks = under_way_[thread / 2];
    if (call.frees) {
      blocks.pop_front();
    } else {
      blocks.push_back(result);
    }
  }

 private:
  static bool is_consumer(unsigned thread) { return thread % 2 != 0; }

  const std::size_t capacity_;
  std::vector<Draw> draws_;
  std::vector<std::deque<uint64_t>> under_way_;  // of each pair
};

}  // namespace

std::unique_ptr<Workload> make_replace(const Plan& plan) { return std::make_unique<Replace>(plan); }
std::unique_ptr<Workload> make_burst(const Plan& plan) { return std::make_unique<Burst>(plan); }
std::unique_ptr<Workload> make_handover(const Plan& plan) {
  return std::make_unique<Handover>(plan);
}

}  // namespace bench::contention
