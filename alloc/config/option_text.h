// SPDX-License-Identifier: MIT
// Option values as text, both ways. Pure functions; nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/config/option_table.h"

namespace spillway::config {

std::string_view type_name(OptionType type);

// The value that `text` gives the option, or nothing when it is not one (kText, kPath: any text is,
// as 0).
std::optional<int64_t> parse_value(const OptionSpec& spec, std::string_view text);

// What may have been meant by a `text` that is no value: the same without the B of "1GB", "1GiB" or
// "4096B". Empty when that is none, either.
std::string_view nearest_value(const OptionSpec& spec, std::string_view text);

// Writes `value` the way parse_value() reads it.
void print_value(const OptionSpec& spec, int64_t value, Line<500>& line);

// Writes what the option accepts: bounds or words.
void print_bounds(const OptionSpec& spec, Line<500>& line);

// The option called `name`, ignoring case; null when there is none.
const OptionSpec* find_option(std::string_view name);

// Complaints, without an end: that there is no such option, and which may be meant; that `text` is
// no value for this one, and what it accepts.
void print_unknown(std::string_view name, Line<500>& line);
void print_wrong(const OptionSpec& spec, std::string_view text, Line<500>& line);

// The option whose name is the fewest edits away.
const OptionSpec& nearest_option(std::string_view name);

}  // namespace spillway::config
