// SPDX-License-Identifier: MIT
#include "alloc/config/option_text.h"

#include <algorithm>

#include "alloc/base/text.h"

namespace spillway::config {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<int64_t> parse_number(std::string_view text, bool with_suffix) {
  int64_t number = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(number, int64_t{10}, &number) ||
        __builtin_add_overflow(number, int64_t{text[digits] - '0'}, &number)) {
      return std::nullopt;
    }
  }
  if (digits == 0) {
    return std::nullopt;
  }
  const std::string_view suffix = rest_from(text, digits);
  if (suffix.empty()) {
    return number;
  }
  constexpr std::string_view kSuffixes = "kmg";
  const size_t power = kSuffixes.find(lower(suffix[0]));
  int64_t scaled = 0;
  if (!with_suffix || suffix.size() != 1 || power == std::string_view::npos ||
      __builtin_mul_overflow(number, int64_t{1} << (10 * (power + 1)), &scaled)) {
    return std::nullopt;
  }
  return scaled;
}

// The position of `text` among `words`, or nothing.
std::optional<int64_t> parse_word(std::string_view words, std::string_view text) {
  for (int64_t position = 0; !words.empty(); ++position) {
    if (same_ignoring_case(take_until(words, '|'), text)) {
      return position;
    }
  }
  return std::nullopt;
}

std::string_view word_at(std::string_view words, int64_t position) {
  for (; position > 0; --position) {
    take_until(words, '|');
  }
  return take_until(words, '|');
}

// Levenshtein distance; names longer than the buffer are simply far from everything.
size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr size_t kLongest = 32;
  if (a.size() > kLongest || b.size() > kLongest) {
    return kLongest;
  }
  size_t row[kLongest + 1];
  for (size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      const size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({replaced, above + 1, row[j - 1] + 1});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view type_name(OptionType type) {
  switch (type) {
    case OptionType::kFlag:
      return "flag";
    case OptionType::kNumber:
      return "number";
    case OptionType::kBytes:
      return "bytes";
    case OptionType::kLimit:
      return "limit";
    case OptionType::kChoice:
      return "choice";
    case OptionType::kText:
      return "text";
    case OptionType::kPath:
      break;
  }
  return "path";
}

std::optional<int64_t> parse_value(const OptionSpec& spec, std::string_view text) {
  std::optional<int64_t> value;
  switch (spec.type) {
    case OptionType::kText:
    case OptionType::kPath:
      return 0;
    case OptionType::kChoice:
      return parse_word(spec.words, text);
    case OptionType::kFlag:
      value = parse_number(text, false);
      break;
    case OptionType::kLimit:
      if (!text.empty() && text.back() == '%') {
        value = parse_number(first_part(text, text.size() - 1), false);
        return value && *value >= 1 && *value <= 100 ? std::optional(-1 - *value) : std::nullopt;
      }
      [[fallthrough]];
    case OptionType::kNumber:
    case OptionType::kBytes:
      if (!spec.words.empty() && (same_ignoring_case(spec.words, text) ||
                                  (spec.type == OptionType::kNumber && text == "-1"))) {
        return kWordValue;
      }
      value = parse_number(text, spec.type != OptionType::kNumber);
      break;
  }
  if (value && (*value < spec.min || *value > spec.max)) {
    return std::nullopt;
  }
  return value;
}

std::string_view nearest_value(const OptionSpec& spec, std::string_view text) {
  if (spec.type != OptionType::kBytes && spec.type != OptionType::kLimit) {
    return {};
  }
  constexpr std::string_view kUnits[] = {"ib", "b"};
  for (const std::string_view unit : kUnits) {
    if (text.size() <= unit.size()) {
      continue;
    }
    const std::string_view number = first_part(text, text.size() - unit.size());
    if (same_ignoring_case(rest_from(text, number.size()), unit) && parse_value(spec, number)) {
      return number;
    }
  }
  return {};
}

void print_value(const OptionSpec& spec, int64_t value, Line<500>& line) {
  switch (spec.type) {
    case OptionType::kText:
    case OptionType::kPath:
      line.text(spec.words);
      return;
    case OptionType::kChoice:
      line.text(word_at(spec.words, value));
      return;
    case OptionType::kLimit:
      if (is_per_cent(value)) {
        line.signed_number(per_cent(value)).put('%');
        return;
      }
      [[fallthrough]];
    case OptionType::kNumber:
    case OptionType::kBytes:
      if (value == kWordValue && !spec.words.empty()) {
        line.text(spec.words);
        return;
      }
      break;
    case OptionType::kFlag:
      break;
  }
  line.signed_number(value);
}

void print_bounds(const OptionSpec& spec, Line<500>& line) {
  switch (spec.type) {
    case OptionType::kText:
      line.text("text");
      return;
    case OptionType::kPath:
      line.text("a path");
      return;
    case OptionType::kChoice:
      line.text(spec.words);
      return;
    case OptionType::kLimit:
      line.text("1%..100%, ");
      [[fallthrough]];
    case OptionType::kNumber:
    case OptionType::kBytes:
    case OptionType::kFlag:
      line.signed_number(spec.min).text("..").signed_number(spec.max);
      if (!spec.words.empty()) {
        line.text(" or ").text(spec.words);
      }
      return;
  }
}

void print_unknown(std::string_view name, Line<500>& line) {
  line.text("unknown option ").quoted(name).text(", did you mean '");
  line.text(nearest_option(name).name).text("'?");
}

void print_wrong(const OptionSpec& spec, std::string_view text, Line<500>& line) {
  line.text("option ").text(spec.name).text(": ").quoted(text).text(" is not ");
  print_bounds(spec, line);
  if (const std::string_view meant = nearest_value(spec, text); !meant.empty()) {
    line.text(", did you mean ").quoted(meant).text("?");
  }
}

const OptionSpec* find_option(std::string_view name) {
  for (const OptionSpec& spec : kOptionSpecs) {
    if (same_ignoring_case(spec.name, name)) {
      return &spec;
    }
  }
  return nullptr;
}

const OptionSpec& nearest_option(std::string_view name) {
  return *std::min_element(std::begin(kOptionSpecs), std::end(kOptionSpecs),
                           [name](const OptionSpec& a, const OptionSpec& b) {
                             return edit_distance(a.name, name) < edit_distance(b.name, name);
                           });
}

}  // namespace spillway::config
