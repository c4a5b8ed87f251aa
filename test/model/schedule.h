// SPDX-License-Identifier: MIT
// The choices that make one execution, and how the next one differs: depth first through all of
// them, fewest surprises first, until none is left.
//
// A choice that is not the first of its kind is written as the step it was made at (the number of
// an access to memory, counted over all threads), a sign, and what was chosen:
//
//   120>2   thread 2 goes on from here
//   131~1   this load sees the value before the newest, 2: the one before that
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::model {

class Schedule {
 public:
  enum class Kind : char { kThread = '>', kOlder = '~' };

  // Before each execution.
  void begin() {
    at_ = 0;
    text_.clear();
  }
  // One of 0 .. count - 1.
  uint32_t pick(uint32_t count);
  // Whether there is another execution.
  bool next();
  // From the first one again: the choices have come to be others.
  void restart() { made_.clear(); }
  // Any choice at each point, from a fixed sequence of numbers: a quick look around.
  void wander(bool at_random) { wander_ = at_random; }

  // Writes a choice down.
  void note(uint64_t step, Kind kind, uint32_t value);
  const std::string& text() const { return text_; }

  // One execution after such a text instead.
  void replay(std::string_view text);
  bool is_replay() const { return replay_; }
  // What the text chooses at this step; `otherwise` if it says nothing.
  uint32_t replayed(uint64_t step, Kind kind, uint32_t otherwise) const;

 private:
  struct Choice {
    uint32_t taken;
    uint32_t count;
  };
  struct Written {
    uint64_t step;
    Kind kind;
    uint32_t value;
  };
  uint32_t random();

  std::vector<Choice> made_;
  size_t at_ = 0;
  bool wander_ = false;
  uint64_t random_ = 1;
  std::string text_;
  bool replay_ = false;
  std::vector<Written> written_;
};

}  // namespace spillway::model
