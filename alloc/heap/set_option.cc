// SPDX-License-Identifier: MIT
#include "alloc/heap/set_option.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "alloc/config/option_text.h"
#include "alloc/config/options.h"
#include "alloc/heap/background.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/os/errno_keeper.h"

namespace spillway::heap {
namespace {

using config::Option;

void apply_nothing() {}  // its readers read it each time

void apply_delay() {
  const int64_t milliseconds = options().value(Option::purge_delay);
  scavenger.configure(milliseconds);
  mimalloc::keep_free_memory_for(static_cast<uint64_t>(milliseconds));
  resume_scavenging_in_background();
  run_background_now();
}

void apply_pressure() { run_background_now(); }

// THE table of the options that can change, and of what has to be done then.
struct Changeable {
  Option option;
  bool is_pools;  // without effect where the pool is off
  void (*apply)();
};
constexpr Changeable kChangeable[] = {
    {Option::purge_delay, true, apply_delay},     {Option::limit, true, configure_limits},
    {Option::hard_limit, true, configure_limits}, {Option::pressure, true, apply_pressure},
    {Option::on_misuse, false, apply_nothing},    {Option::deepbind, false, apply_nothing},
};

}  // namespace

SetOutcome set_option(std::string_view name, std::string_view text, Line<500>& complaint) {
  const config::OptionSpec* const spec = config::find_option(name);
  if (spec == nullptr) {
    config::print_unknown(name, complaint);
    return SetOutcome::kUnknown;
  }
  const auto option = static_cast<Option>(spec - config::kOptionSpecs);
  const auto* const found =
      std::find_if(std::begin(kChangeable), std::end(kChangeable),
                   [option](const Changeable& one) { return one.option == option; });
  if (found == std::end(kChangeable)) {
    complaint.text("option ").text(spec->name).text(" is read at the start of the process alone");
    return SetOutcome::kFixed;
  }
  const auto value = config::parse_value(*spec, text);
  if (!value) {
    config::print_wrong(*spec, text, complaint);
    return SetOutcome::kWrong;
  }
  if (found->is_pools && !is_pooling()) {
    complaint.text("option ").text(spec->name);
    complaint.text(" has no effect: the pool is off, every request goes to mimalloc");
    return SetOutcome::kFixed;
  }
  change_option(*spec, *value);
  found->apply();
  return SetOutcome::kDone;
}

int set_option_as(const char* name, const char* text) {
  const os::ErrnoKeeper keeper;
  Line<500> complaint;
  switch (set_option(name, text, complaint)) {
    case SetOutcome::kDone:
      return 0;
    case SetOutcome::kUnknown:
      return ENOENT;
    case SetOutcome::kWrong:
      return EINVAL;
    case SetOutcome::kFixed:
      break;
  }
  return EPERM;
}

int get_option_as(const char* name, char* text, size_t size) {
  const config::OptionSpec* const spec = config::find_option(name);
  if (spec == nullptr) {
    return ENOENT;
  }
  Line<config::Options::kMaxText> line;
  options().print(*spec, line);
  if (line.view().size() >= size) {
    return ERANGE;
  }
  *std::copy(line.view().begin(), line.view().end(), text) = '\0';
  return 0;
}

}  // namespace spillway::heap
