// SPDX-License-Identifier: MIT
// The option parser: an environment from the input, strings that end with 0. Each value it accepts
// is within the option's bounds and reads back from what it prints; each complaint is one line.
#include "alloc/config/options.h"

#include <string>
#include <string_view>
#include <vector>

#include "alloc/config/option_text.h"
#include "test/fuzz/require.h"

// What --wrap makes of the name of os::write_text(), which would fill the terminal.
void wrapped_write_text(int descriptor, std::string_view text) asm(
    "__wrap__ZN8spillway2os10write_textEiSt17basic_string_viewIcSt11char_traitsIcEE");
void wrapped_write_text(int /*descriptor*/, std::string_view text) {
  FUZZ_REQUIRE(text.starts_with("spillway: "));
  FUZZ_REQUIRE(text.find('\n') == text.size() - 1);
}

namespace {

namespace config = spillway::config;

bool is_text(const config::OptionSpec& spec) {
  return spec.type == config::OptionType::kText || spec.type == config::OptionType::kPath;
}

void check_value(const config::OptionSpec& spec, int64_t value) {
  const bool is_word = value == config::kWordValue && !spec.words.empty();
  const bool is_share = spec.type == config::OptionType::kLimit && config::is_per_cent(value);
  FUZZ_REQUIRE(is_word || is_share || (value >= spec.min && value <= spec.max));
  if (is_share) {
    FUZZ_REQUIRE(config::per_cent(value) >= 1 && config::per_cent(value) <= 100);
  }
  spillway::Line<500> line;
  config::print_value(spec, value, line);
  FUZZ_REQUIRE(config::parse_value(spec, line.view()) == value);
}

void check_each(std::string_view text) {
  const config::OptionSpec* const found = config::find_option(text);
  FUZZ_REQUIRE(found == nullptr || found == &config::nearest_option(text));
  for (const config::OptionSpec& spec : config::kOptionSpecs) {
    const auto value = config::parse_value(spec, text);
    if (value && !is_text(spec)) {
      check_value(spec, *value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> entries;
  for (std::string_view rest(reinterpret_cast<const char*>(data), size); !rest.empty();) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    entries.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::vector<char*> environment;
  for (std::string& entry : entries) {
    check_each(entry);
    environment.push_back(entry.data());
  }
  environment.push_back(nullptr);
  config::Options options;
  options.load(environment.data(), false);
  for (const config::OptionSpec& spec : config::kOptionSpecs) {
    if (!is_text(spec)) {
      check_value(spec, options.value(static_cast<config::Option>(&spec - config::kOptionSpecs)));
    }
  }
  FUZZ_REQUIRE(options.value(config::Option::min_size) <= options.value(config::Option::max_size));
  options.report();
  return 0;
}
