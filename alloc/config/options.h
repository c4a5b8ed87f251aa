// SPDX-License-Identifier: MIT
// The values of the options (option_table.h). Set by SPILLWAY_<NAME>, or together by
// SPILLWAY_CONF="name:value,name:value"; the single variable wins. Read once, before the first
// pooled block is handed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/base/owned_cell.h"
#include "alloc/config/option_table.h"

namespace spillway::config {

enum class OptionOrigin : uint8_t { kDefault, kConf, kVariable, kImplied, kRunTime };

// The values in force. Written before the pool starts; from then on only by change(), while any
// thread reads.
class Options {
 public:
  constexpr Options() = default;

  // Reads the environment; null or a privileged process: defaults. What is wrong is said in one
  // line on stderr each and changes nothing. Costs two walks over the environment; does not
  // allocate.
  void load(char** environment, bool privileged);

  int64_t value(Option option) const { return values_[static_cast<size_t>(option)].get(); }
  bool flag(Option option) const { return value(option) != 0; }
  template <typename Choice>
  Choice choice(Option option) const {
    return static_cast<Choice>(value(option));
  }
  OptionOrigin origin(Option option) const { return origins_[static_cast<size_t>(option)].get(); }
  // Of a kText or kPath option; empty when it is not set.
  std::string_view text(Option option) const {
    const Text& text = texts_[text_index(option)];
    return {text.characters, text.length};
  }

  // One line per option on stderr: name, value, where it came from.
  void report() const;
  // The same of one option, without an end.
  void describe(const OptionSpec& spec, Line<500>& line) const;
  // The value alone, as the option is set.
  static constexpr size_t kMaxText = 1024;
  void print(const OptionSpec& spec, Line<kMaxText>& line) const;

  // At run time, of an option that is not kText or kPath. Any thread; what follows from the new
  // value is the caller's.
  void change(const OptionSpec& spec, int64_t value);

 private:
  void reset();
  void imply_parts();
  void set(std::string_view name, std::string_view text, OptionOrigin origin);

  std::array<OwnedCell<int64_t>, kOptionCount> values_{{
#define SPILLWAY_X(name, type, default_value, ...) OwnedCell(static_cast<int64_t>(default_value)),
      SPILLWAY_OPTIONS(SPILLWAY_X)
#undef SPILLWAY_X
  }};
  std::array<OwnedCell<OptionOrigin>, kOptionCount> origins_{};
  // A copy: programs overwrite their environment.
  struct Text {
    char characters[kMaxText] = {};
    size_t length = 0;
  };
  static constexpr Option kTextOptions[] = {Option::prefill, Option::tenant_limits,
                                            Option::stats_file, Option::profile_file};
  static constexpr size_t kTexts = sizeof kTextOptions / sizeof kTextOptions[0];
  static constexpr size_t text_index(Option option) {
    size_t index = 0;
    while (index < kTexts - 1 && kTextOptions[index] != option) {
      ++index;
    }
    return index;
  }
  Text texts_[kTexts];
};

}  // namespace spillway::config
