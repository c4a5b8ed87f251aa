// SPDX-License-Identifier: MIT
// How a pool begins and ends, and what a fork leaves of it.
#include <pthread.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"
#include "alloc/os/touch.h"
#include "alloc/pool/classes.h"
#include "alloc/pool/core.h"

namespace spillway::pool {
namespace {

// All pools, by number, for fork(); those beyond are not found and have no caches.
constinit Core* cores[kMaxPools] = {};
constinit std::atomic<uint32_t> max_used{0};
constinit std::mutex coming_and_going;  // held while a number is taken or given back

uint32_t take_number(Core& core) {
  const std::lock_guard lock(coming_and_going);
  for (uint32_t number = 0; number < kMaxPools; ++number) {
    if (cores[number] == nullptr) {
      cores[number] = &core;
      // relaxed: see max_used_number().
      max_used.store(std::max(max_used.load(std::memory_order_relaxed), number + 1),
                     std::memory_order_relaxed);
      return number;
    }
  }
  return kMaxPools;
}

std::string no_memory(const char* for_what, size_t bytes) {
  return "the system refuses " + std::to_string(bytes) + " bytes of address space for " + for_what;
}

void report_double_free(void* owner, void* block) {
  static_cast<Core*>(owner)->report_second_return(static_cast<std::byte*>(block));
}

}  // namespace

// relaxed: a thread's own entries are below what it saw when it made them.
uint32_t max_used_number() { return max_used.load(std::memory_order_relaxed); }

Core::Core(const PoolConfig& config) : tenants_(config.tenant_soft_limit), config_(config) {}

expected<Core*, std::string> Core::create(const PoolConfig& config) {
  if (auto wrong = config.check()) {
    return unexpected(std::move(*wrong));
  }
  register_fork_handlers();
  // Destroys it when something throws, too.
  struct Destroy {
    void operator()(Core* core) const { core->destroy(); }
  };
  std::unique_ptr<Core, Destroy> core(new Core(config));
  if (auto wrong = core->start()) {
    return unexpected(std::move(*wrong));
  }
  core->number_ = take_number(*core);
  if (config.prefill && !core->prefill()) {
    core.release()->close();
    return unexpected(std::string("the system has no memory for all buffers of the pool"));
  }
  return core.release();
}

std::optional<std::string> Core::start() {
  const std::vector<size_t> sizes = config_.sizes();
  std::vector<uint32_t> block_sizes(sizes.begin(), sizes.end());
  const auto granule_shift = static_cast<unsigned>(std::countr_zero(unit_of(sizes)));
  const size_t span = span_of(config_.max_per_class, sizes.back());
  cache_buffers_ = static_cast<uint32_t>(config_.thread_cache_buffers());
  constexpr uint32_t kMaxThreads = 1024;
  const core::Engine<core::SlotStore>::Config engine = {
      .store = {.block_sizes = block_sizes,
                .max_span_bytes = span,
                .min_span_bytes = span,
                .granule_shift = granule_shift,
                .max_slots = static_cast<uint32_t>(config_.max_per_class)},
      .bins = {.fixed = true, .capacity = cache_buffers_},
      .max_threads = cache_buffers_ != 0 ? kMaxThreads : 0,
      .cache_budget = {.floor = uint64_t{1} << 60, .pool_share = 0},
      .on_double_free = {.call = report_double_free, .owner = this}};
  if (!engine_.start(engine)) {
    return no_memory("buffers", span * sizes.size());
  }
  records_bytes_ =
      align_up((engine_.arena().bytes() >> granule_shift) * sizeof(Record), os::page_size());
  void* const records = os::reserve(records_bytes_, os::Access::kReadWrite, nullptr);
  if (records == nullptr) {
    engine_.stop();
    return no_memory("the records of buffers", records_bytes_);
  }
  records_ = static_cast<Record*>(records);
  largest_ = sizes.back();
  std::copy(block_sizes.begin(), block_sizes.end(), sizes_ + 1);
  min_pooled_ = config_.pool_min_size;
  pinned_ = config_.pinned;
  for (unsigned width = 0; width < std::size(first_class_); ++width) {
    const size_t min = width == 0 ? 0 : size_t{1} << (width - 1);
    const auto fits = std::lower_bound(sizes.begin(), sizes.end(), min);
    first_class_[width] = static_cast<uint8_t>(fits - sizes.begin() + 1);
  }
  regions_.attach(engine_);
  watch_ = Watch::make(engine_, describe);
  if (watch_ != nullptr) {
    cache_buffers_ = 0;
  }
  return std::nullopt;
}

bool Core::prefill() {
  std::vector<Buffer> all;
  all.reserve(config_.max_per_class);
  for (uint32_t i = 1; i <= engine_.geometry().class_count; ++i) {
    const size_t size = engine_.geometry().classes[i].block_size;
    while (all.size() < config_.max_per_class) {
      auto made = try_make({.size = size, .tenant = nullptr});
      if (!made || !made->is_pooled()) {
        return false;
      }
      os::touch_pages(made->data(), size);
      all.push_back(std::move(*made));
    }
    classes_[i].prefilled = all.size();
    all.clear();
  }
  flush();
  return true;
}

bool Core::add_reference() {
  uint64_t count = references_.load(std::memory_order_relaxed);
  // acquire: pairs with the release of a reference before; what its holder did is done.
  while (count != 0 &&
         !references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
  }
  return count != 0;
}

void Core::drop_reference() {
  // acq_rel: settle() sees what all holders did.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    settle();
  }
}

void Core::close() {
  // relaxed: see is_closed().
  closed_.store(true, std::memory_order_relaxed);
  detach_thread();
  // Otherwise all goes in a moment.
  if (references_.load(std::memory_order_relaxed) != 1 || count_live() != 0) {
    purge();
  }
  drop_reference();
}

int64_t Core::count_live() const {
  // relaxed: the holders of references are the only ones to change it.
  int64_t live = unpooled_live_.load(std::memory_order_relaxed);
  for (uint32_t i = 1; i <= engine_.geometry().class_count; ++i) {
    const core::Central& one = engine_.store().central(ClassIndex{static_cast<uint8_t>(i)});
    live += int64_t{one.grown()} - int64_t{one.count_free()};
  }
  return live;
}

void Core::settle() {
  for (uint32_t i = 1; i <= engine_.geometry().class_count; ++i) {
    let_go_all(ClassIndex{static_cast<uint8_t>(i)});
  }
  const int64_t change = count_live() - kNotCounted;
  // acq_rel: pairs with count_off().
  if (outstanding_.fetch_add(change, std::memory_order_acq_rel) + change == 0) {
    destroy();
  }
}

void Core::count_off() {
  // acq_rel: the thread that destroys it does so after all others have left.
  if (outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    destroy();
  }
}

void Core::destroy() {
  if (number_ < kMaxPools) {
    const std::lock_guard lock(coming_and_going);
    cores[number_] = nullptr;
  }
  watch_.reset();
  if (records_ != nullptr) {  // otherwise start() failed
    engine_.stop();
    os::release(records_, records_bytes_);
  }
  delete this;
}

void Core::describe(const void* address) {
  // A thread that makes or ends a pool may be the one that asks.
  const std::unique_lock lock(coming_and_going, std::try_to_lock);
  for (uint32_t number = 0; lock.owns_lock() && number < max_used_number(); ++number) {
    if (cores[number] != nullptr && cores[number]->watch_ != nullptr) {
      cores[number]->watch_->describe(address);
    }
  }
}

void Core::register_fork_handlers() {
  static const int registered = pthread_atfork(lock_all, unlock_all, recover_after_fork);
  static_cast<void>(registered);
}

void Core::lock_all() {
  coming_and_going.lock();
  for (uint32_t number = 0; number < max_used_number(); ++number) {
    if (cores[number] != nullptr) {
      cores[number]->tenants_.lock();
      cores[number]->regions_.lock();
      if (cores[number]->watch_ != nullptr) {
        cores[number]->watch_->lock();
      }
    }
  }
}

void Core::unlock_all() {
  for (uint32_t number = 0; number < max_used_number(); ++number) {
    if (cores[number] != nullptr) {
      if (cores[number]->watch_ != nullptr) {
        cores[number]->watch_->unlock();
      }
      cores[number]->regions_.unlock();
      cores[number]->tenants_.unlock();
    }
  }
  coming_and_going.unlock();
}

void Core::recover_after_fork() {
  unlock_all();
  for (uint32_t number = 0; number < max_used_number(); ++number) {
    Core* const core = cores[number];
    if (core == nullptr) {
      continue;
    }
    core->purge_turns_.resume_after_fork();
    auto absent = core::ThreadState::without_cache();
    const bool mine = thread_table != nullptr && thread_table->entries[number].core == core;
    core->engine_.recover_after_fork(mine ? thread_table->entries[number].thread_state : absent,
                                     core->purge_turns_.runs_here());
    // The owner's and this thread's; the others did not come along.
    const uint64_t references = (core->is_closed() ? 0U : 1U) + (mine ? 1U : 0U);
    if (core->references_.load(std::memory_order_relaxed) != 0) {
      core->references_.store(references, std::memory_order_relaxed);
      if (references == 0) {
        core->settle();
      }
    }
  }
}

}  // namespace spillway::pool
