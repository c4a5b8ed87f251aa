// SPDX-License-Identifier: MIT
#include "test/model/schedule.h"

#include <sstream>

namespace spillway::model {

uint32_t Schedule::random() {
  // Knuth's MMIX generator.
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  return static_cast<uint32_t>(random_ >> 33);
}

uint32_t Schedule::pick(uint32_t count) {
  if (count <= 1) {
    return 0;
  }
  if (wander_) {
    constexpr uint32_t kSurprises = 6;  // one in so many choices
    return random() % kSurprises == 0 ? random() % count : 0;
  }
  if (at_ == made_.size()) {
    made_.push_back({0, count});
  }
  return made_[at_++].taken;
}

bool Schedule::next() {
  while (!made_.empty() && made_.back().taken + 1 == made_.back().count) {
    made_.pop_back();
  }
  if (made_.empty()) {
    return false;
  }
  ++made_.back().taken;
  return true;
}

void Schedule::note(uint64_t step, Kind kind, uint32_t value) {
  text_ += (text_.empty() ? "" : " ") + std::to_string(step) + static_cast<char>(kind) +
           std::to_string(value);
}

void Schedule::replay(std::string_view text) {
  replay_ = true;
  written_.clear();
  std::istringstream in{std::string(text)};
  Written one{};
  for (char kind; in >> one.step >> kind >> one.value;) {
    one.kind = static_cast<Kind>(kind);
    written_.push_back(one);
  }
}

uint32_t Schedule::replayed(uint64_t step, Kind kind, uint32_t otherwise) const {
  for (const Written& one : written_) {
    if (one.step == step && one.kind == kind) {
      return one.value;
    }
  }
  return otherwise;
}

}  // namespace spillway::model
