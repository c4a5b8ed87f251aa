// SPDX-License-Identifier: MIT
#include "alloc/config/options.h"

#include <optional>

#include "alloc/base/text.h"
#include "alloc/config/option_text.h"
#include "alloc/os/message.h"

namespace spillway::config {
namespace {

constexpr std::string_view kPrefix = "SPILLWAY_";
constexpr std::string_view kConfVariable = "CONF";

constexpr bool is_text(OptionType type) {
  return type == OptionType::kText || type == OptionType::kPath;
}

constexpr std::string_view origin_text(OptionOrigin origin) {
  switch (origin) {
    case OptionOrigin::kConf:
      return "SPILLWAY_CONF";
    case OptionOrigin::kVariable:
      return "environment";
    case OptionOrigin::kImplied:
      return "hardened or guard_sample";
    case OptionOrigin::kRunTime:
      return "set at run time";
    case OptionOrigin::kDefault:
      break;
  }
  return "default";
}

// Calls `action(name, value)` for every SPILLWAY_ variable, without the prefix.
template <typename Action>
void for_each_variable(char** environment, Action action) {
  for (; *environment != nullptr; ++environment) {
    std::string_view entry = *environment;
    if (!entry.starts_with(kPrefix)) {
      continue;
    }
    entry.remove_prefix(kPrefix.size());
    const std::string_view name = take_until(entry, '=');
    action(name, entry);
  }
}

}  // namespace

void Options::reset() {
  for (size_t i = 0; i < kOptionCount; ++i) {
    values_[i].set(kOptionSpecs[i].default_value);
    origins_[i].set(OptionOrigin::kDefault);
  }
  for (Text& text : texts_) {
    text = {};
  }
}

void Options::load(char** environment, bool privileged) {
  reset();
  if (environment == nullptr || privileged) {
    return;
  }
  for_each_variable(environment, [this](std::string_view variable, std::string_view list) {
    if (variable != kConfVariable) {
      return;
    }
    while (!list.empty()) {
      std::string_view item = take_until(list, ',');
      if (!item.empty()) {
        const std::string_view name = take_until(item, ':');
        set(name, item, OptionOrigin::kConf);
      }
    }
  });
  for_each_variable(environment, [this](std::string_view name, std::string_view text) {
    if (name != kConfVariable) {
      set(name, text, OptionOrigin::kVariable);
    }
  });
  imply_parts();
  if (value(Option::min_size) > value(Option::max_size)) {
    os::Message message;
    message.line()
        .text("option min_size: ")
        .signed_number(value(Option::min_size))
        .text(" is above max_size ")
        .signed_number(value(Option::max_size))
        .text("; using the defaults of both");
    message.send();
    for (const Option option : {Option::min_size, Option::max_size}) {
      values_[static_cast<size_t>(option)].set(
          kOptionSpecs[static_cast<size_t>(option)].default_value);
      origins_[static_cast<size_t>(option)].set(OptionOrigin::kDefault);
    }
  }
  if (value(Option::stats_interval) != kWordValue &&
      (choice<StatsFormat>(Option::stats) == StatsFormat::kOff ||
       text(Option::stats_file).empty())) {
    os::Message message;
    message.line().text("option stats_interval: needs stats and stats_file; using none");
    message.send();
    values_[static_cast<size_t>(Option::stats_interval)].set(kWordValue);
    origins_[static_cast<size_t>(Option::stats_interval)].set(OptionOrigin::kDefault);
  }
}

// What `hardened` and `guard_sample` stand for, where it is not set by itself.
void Options::imply_parts() {
  if (!flag(Option::hardened) && value(Option::guard_sample) == kWordValue) {
    return;
  }
  // arbitrary: those of 4 KiB and more that wait hold no memory.
  constexpr int64_t kQuarantine = 256;
  for (const Option part : {Option::guard_pages, Option::zero_on_free, Option::canaries,
                            Option::random_placement, Option::quarantine}) {
    const auto index = static_cast<size_t>(part);
    if (origins_[index].get() == OptionOrigin::kDefault) {
      values_[index].set(part == Option::quarantine ? kQuarantine : 1);
      origins_[index].set(OptionOrigin::kImplied);
    }
  }
}

void Options::set(std::string_view name, std::string_view text, OptionOrigin origin) {
  const OptionSpec* spec = find_option(name);
  if (spec == nullptr) {
    os::Message message;
    print_unknown(name, message.line());
    message.send();
    return;
  }
  const std::optional<int64_t> value = parse_value(*spec, text);
  const auto index = static_cast<size_t>(spec - kOptionSpecs);
  if (!value) {
    os::Message message;
    print_wrong(*spec, text, message.line());
    message.line().text("; using ");
    print_value(*spec, values_[index].get(), message.line());
    message.send();
    return;
  }
  if (is_text(spec->type)) {
    Text& kept = texts_[text_index(static_cast<Option>(index))];
    if (text.size() > sizeof kept.characters) {
      os::Message message;
      message.line().text("option ").text(spec->name).text(": its ").number(text.size());
      message.line().text(" characters are more than ").number(sizeof kept.characters);
      message.line().text("; it is ignored");
      message.send();
      return;
    }
    kept.length = text.copy(kept.characters, sizeof kept.characters);
  }
  values_[index].set(*value);
  origins_[index].set(origin);
}

void Options::report() const {
  for (size_t index = 0; index < kOptionCount; ++index) {
    const OptionSpec& spec = kOptionSpecs[index];
    os::Message message;
    describe(spec, message.line());
    message.send();
  }
}

void Options::describe(const OptionSpec& spec, Line<500>& line) const {
  const auto option = static_cast<Option>(&spec - kOptionSpecs);
  line.text(spec.name).text(" = ");
  const bool quotes = is_text(spec.type) && !text(option).empty();
  if (quotes) {
    line.quoted(text(option));
  } else {
    print_value(spec, value(option), line);
  }
  line.text(" (").text(origin_text(origin(option))).text(")");
}

void Options::print(const OptionSpec& spec, Line<kMaxText>& line) const {
  const auto option = static_cast<Option>(&spec - kOptionSpecs);
  if (is_text(spec.type) && !text(option).empty()) {
    line.text(text(option));
  } else {
    Line<500> shown;
    print_value(spec, value(option), shown);
    line.text(shown.view());
  }
}

void Options::change(const OptionSpec& spec, int64_t value) {
  const auto index = static_cast<size_t>(&spec - kOptionSpecs);
  values_[index].set(value);
  origins_[index].set(OptionOrigin::kRunTime);
}

}  // namespace spillway::config
