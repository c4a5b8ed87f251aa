#include "alloc/core/upkeep.h"

#include <algorithm>

#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr ClassIndex class_index(uint32_t number) {
  return ClassIndex{static_cast<uint8_t>(number)};
}

// What is left of a memory of the past after one interval.
constexpr uint64_t faded(uint64_t value) {
  constexpr uint64_t kForgotten = 64 * kKiB;
  const uint64_t rest = value - value / 4;
  return rest < kForgotten ? 0 : rest;
}

struct FreeBytes {
  uint64_t warm = 0;
  uint64_t cool = 0;
  uint64_t clean = 0;

  uint64_t dirty() const { return warm + cool; }
  uint64_t in_use(const Engine& engine) const {
    const uint64_t free = warm + cool + clean;
    return engine.grown_bytes() - std::min(engine.grown_bytes(), free);
  }
};

FreeBytes free_bytes(const Engine& engine) {
  FreeBytes sum;
  for (uint32_t i = 1; i <= engine.geometry().class_count; ++i) {
    const Central& one = engine.class_at(class_index(i));
    const uint64_t size = one.geometry().block_size;
    sum.warm += one.count_warm() * size;
    sum.cool += one.count_cool() * size;
    sum.clean += one.count_clean() * size;
  }
  return sum;
}

}  // namespace

bool Upkeep::enter() {
  bool idle = false;
  // acquire: pairs with the release in leave(). relaxed: who sees a pause late is stopped by
  // running_.
  if (pausing_.load(std::memory_order_relaxed) ||
      !running_.compare_exchange_strong(idle, true, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    return false;
  }
  runner_.set(os::this_thread());
  progress_.set(progress_.get() + 1);
  // release: pairs with the fence in ran_since().
  std::atomic_thread_fence(std::memory_order_release);
  return true;
}

bool Upkeep::runs_here() const { return runner_.get() == os::this_thread(); }

void Upkeep::leave() {
  runner_.set(0);
  // release: pairs with the acquire in progress(); what the run had in hand is back.
  progress_.set_release(progress_.get() + 1);
  // release: pairs with the acquire in enter() and pause().
  running_.store(false, std::memory_order_release);
}

void Upkeep::Turn::wait() {
  if (held_) {
    return;
  }
  os::BoundedWait run(1'000'000'000);
  os::BoundedWait fork(20'000'000);
  while (!held_ && !upkeep_.runs_here()) {
    // relaxed: a look; enter() decides.
    os::BoundedWait& wait = upkeep_.pausing_.load(std::memory_order_relaxed) ? fork : run;
    if (!wait.pause()) {
      return;
    }
    held_ = upkeep_.enter();
  }
}

bool Upkeep::Turn::keep() {
  // relaxed: seen at the next step otherwise.
  if (held_ && upkeep_.pausing_.load(std::memory_order_relaxed)) {
    upkeep_.leave();
    held_ = false;
  }
  return held_;
}

void Upkeep::pause(const void* who) {
  // relaxed: the exchange below decides; a run that has not begun stays away.
  pausing_.store(true, std::memory_order_relaxed);
  os::BoundedWait wait(100'000'000);
  do {
    bool idle = false;
    // acquire: as in enter().
    if (running_.compare_exchange_strong(idle, true, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      paused_by_.set(who);
      return;
    }
  } while (!runs_here() && wait.pause());
}

void Upkeep::resume(const void* who) {
  const void* const holder = paused_by_.get();
  if (holder != nullptr && holder != who) {
    return;  // waited in vain: another thread's pause goes on
  }
  // relaxed: who sees it late comes again.
  pausing_.store(false, std::memory_order_relaxed);
  if (holder == who) {
    paused_by_.set(nullptr);
    leave();
  }
}

void Upkeep::resume_after_fork() {
  // relaxed: the only thread there is.
  paused_by_.set(nullptr);
  pausing_.store(false, std::memory_order_relaxed);
  if (runs_here()) {
    return;  // in a signal handler that interrupted a run, which goes on afterwards
  }
  runner_.set(0);
  progress_.set(progress_.get() + progress_.get() % 2);
  running_.store(false, std::memory_order_relaxed);
}

uint32_t Upkeep::interval_ms() const {
  return static_cast<uint32_t>(std::max<int64_t>(purge_delay_ms_ / 2, 1));
}

uint32_t Upkeep::run(Engine& engine) {
  if (!purges()) {
    return kNothingLeft;
  }
  Turn turn(*this);
  if (!turn.held()) {
    return interval_ms();
  }
  const bool cached = engine.relax_caches() >= kLeastCached;
  const FreeBytes bytes = free_bytes(engine);
  follow_demand(engine.taken_bytes(), bytes.in_use(engine));
  engine.note_with_memory(bytes.in_use(engine) + bytes.dirty());
  // Whoever takes new memory from now on is judged at the next balance.
  engine.fresh_bytes().set_unwanted(false);
  const uint64_t kept = std::max(kept_always_, std::min(demand_, kLeastKept + peak_ / kPeakShare));
  if (bytes.dirty() > kept) {
    purge_cool(engine, turn, std::min(bytes.dirty() - kept, bytes.cool), bytes.cool);
  }
  if (!turn.keep()) {
    return interval_ms();
  }
  engine.cool();
  bool refused = false;
  const uint64_t large = engine.large().purge_old(pausing_, refused);
  refused_.add(refused ? 1 : 0);
  const uint64_t waiting = bytes.dirty() - std::min(bytes.dirty(), kept_always_);
  waiting_bytes_.set(waiting + large);
  return waiting + large == 0 && !cached ? kNothingLeft : interval_ms();
}

void Upkeep::balance_now(Engine& engine) {
  if (!purges()) {
    return;
  }
  Turn turn(*this);
  if (!turn.held()) {
    return;
  }
  engine.fresh_bytes().look();
  FreeBytes bytes = free_bytes(engine);
  const uint64_t in_use = bytes.in_use(engine);
  peak_ = std::max(peak_, in_use);
  engine.note_with_memory(in_use + bytes.dirty());
  const uint64_t most = most_free(in_use);
  engine.fresh_bytes().set_unwanted(bytes.dirty() > most / 4 * 3);
  if (bytes.dirty() > most) {
    const uint64_t excess = std::min(bytes.dirty() - most, kMostPerLook);
    const uint64_t purged = purge_cool(engine, turn, std::min(excess, bytes.cool), bytes.cool);
    if (purged < excess && purged < bytes.dirty() && turn.keep()) {
      engine.cool();
      bytes = free_bytes(engine);
      purge_cool(engine, turn, std::min(excess - purged, bytes.cool), bytes.cool);
    }
  }
}

uint64_t Upkeep::most_free(uint64_t in_use) const {
  const uint64_t slack = std::max(kMostFree, peak_ / kFreeShare);
  const uint64_t regrowth = peak_ - in_use + (peak_ < kLargePeak ? slack : slack / 2);
  return kept_always_ + std::max(slack, regrowth);
}

void Upkeep::follow_demand(uint64_t taken, uint64_t in_use) {
  // Intervals without a run count, too.
  const uint64_t now = os::monotonic_ns();
  const uint64_t intervals = (now - followed_at_ns_) / (interval_ms() * uint64_t{1'000'000});
  followed_at_ns_ = now;
  uint64_t demand = faded(demand_);
  uint64_t peak = faded(peak_);
  for (uint64_t i = 1; i < intervals && (demand | peak) != 0; ++i) {
    demand = faded(demand);
    peak = faded(peak);
  }
  demand_ = std::max(demand, taken - std::min(taken, taken_before_));
  taken_before_ = taken;
  peak_ = std::max(peak, in_use);
}

uint64_t Upkeep::purge_cool(Engine& engine, Turn& turn, uint64_t bytes, uint64_t cool_bytes) {
  uint64_t purged = 0;
  for (uint32_t i = 1; i <= engine.geometry().class_count && purged < bytes && turn.keep(); ++i) {
    const Central& one = engine.class_at(class_index(i));
    const uint64_t cool = one.count_cool() * uint64_t{one.geometry().block_size};
    // Rounded up to a block: many classes with little would never give any.
    const auto share = static_cast<uint64_t>(
        static_cast<double>(cool) / static_cast<double>(cool_bytes) * static_cast<double>(bytes));
    purged +=
        cool == 0 ? 0 : purge_class(engine, turn, class_index(i), std::max<uint64_t>(share, 1));
  }
  return purged;
}

uint64_t Upkeep::purge_class(Engine& engine, Turn& turn, ClassIndex index, uint64_t bytes) {
  uint64_t purged = 0;
  bool refused = false;
  // The cursor meets the end of the class once on its way.
  for (int ends = 0; purged < bytes && ends < 2 && !refused && turn.keep();) {
    const uint64_t step = engine.purge(index, cursors_[raw(index)],
                                       std::min(bytes - purged, kMostStepBytes), refused);
    ends += step == 0 && cursors_[raw(index)] == 0 ? 1 : 0;
    purged += step;
    purged_bytes_.add(step);
    steps_.add(step != 0 ? 1 : 0);
    refused_.add(refused ? 1 : 0);
  }
  return purged;
}

uint64_t Upkeep::purge_everything(Engine& engine) {
  Turn turn(*this);
  turn.wait();
  if (!turn.held()) {
    return 0;
  }
  // Twice: a thread's cache is idle when nothing happened since the last call.
  engine.relax_caches();
  engine.relax_caches();
  engine.cool();
  uint64_t purged = 0;
  for (uint32_t i = 1; i <= engine.geometry().class_count && turn.keep(); ++i) {
    purged += purge_class(engine, turn, class_index(i), UINT64_MAX);
  }
  if (!turn.keep()) {
    return purged;
  }
  const uint64_t before = engine.large().purged_bytes();
  bool refused = false;
  engine.large().purge_all(pausing_, refused);
  refused_.add(refused ? 1 : 0);
  return purged + engine.large().purged_bytes() - before;
}

void Upkeep::collect(const Engine& engine, stats::Snapshot& snapshot) const {
  snapshot.purged_bytes_total = purged_bytes_.get() + engine.large().purged_bytes();
  snapshot.purges_total = steps_.get();
  snapshot.purges_refused_total = refused_.get();
}

}  // namespace spillway::core
