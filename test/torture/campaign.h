// SPDX-License-Identifier: MIT
// Forks of a stepped program at the instructions of a library: which ones, and what came of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "library_map.h"
#include "stepper.h"
#include "walked_program.h"

namespace torture {

struct Plan {
  std::string library;
  std::string program;
  uint64_t forks = 0;          // 0: no end but the walk's
  uint32_t every = 1;          // one instruction of so many
  uint32_t gate_every = 1;     // inside mimalloc, of those
  uint32_t through_every = 0;  // and of these, so many are frozen until the fork gives up its wait
  uint32_t round = 0;          // at the visit of an instruction that is this power of two
};

struct Counts {
  uint64_t frozen = 0;      // forks by another thread while the walking one stood at an instruction
  uint64_t in_handler = 0;  // by a handler that interrupted the walking thread there
  uint64_t waited = 0;      // forks that waited until the walking thread had left mimalloc
  uint64_t through = 0;     // that went on without
  uint64_t points = 0;      // instructions of the library that the walk came to
  uint64_t inside = 0;      // of these, where mimalloc is at work
  uint64_t steps = 0;
  uint64_t failures = 0;

  uint64_t forks() const { return frozen + in_handler + waited + through; }
};

class Campaign {
 public:
  Campaign(const Plan& plan, const std::string& options, Counts& counts);

  // One walk. False: the program ended, or what it should do next would hang.
  bool walk();
  bool is_refused() const { return refused_; }
  bool is_done() const { return plan_.forks != 0 && counts_.forks() >= plan_.forks; }

 private:
  struct Point {
    uint64_t visits = 0;
    uint32_t frozen = 0;
    uint32_t in_handler = 0;
    bool inside = false;
  };

  bool start();
  bool at_instruction();
  int visit(Point& point, uint64_t offset);
  void fork_while_frozen(Point& point);
  bool step_over();
  bool is_worn_out(const Point& point) const;
  void note_handler(bool has_ended);
  void note_child(uint64_t& count);
  bool is_due(const Point& point, uint32_t forks, uint64_t offset, uint32_t share) const;
  bool gate_is_occupied() const;
  void fail(const std::string& what);
  void say_progress();

  Plan plan_;
  std::string options_;
  Counts& counts_;
  WalkedProgram program_;
  Stepper stepper_;
  LibraryMap library_;
  LibraryMap own_code_;  // the program's
  uint64_t gate_counters_ = 0;
  std::map<uint64_t, Point> points_;
  uint64_t last_offset_ = 0;
  uint64_t place_ = 0;  // where the last fork was made
  uint64_t gate_forks_ = 0;
  bool was_inside_ = false;  // in one of the two
  bool fork_waits_ = false;  // an order that is not answered yet
  bool signalled_ = false;   // the handler has not begun
  bool refused_ = false;
  bool hangs_ = false;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

}  // namespace torture
