// SPDX-License-Identifier: MIT
// Whose statistics they are, as text. Without them the figures of two processes look alike.
#pragma once

#include <cstdint>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/base/utf8.h"

namespace spillway::stats {

// Fits each process; two of one number, in different containers, differ by name or start.
struct Identity {
  std::string_view program;  // any bytes
  uint32_t process = 0;
  uint32_t version = 0;        // 10000 a major, 100 a minor, 1 a patch
  uint64_t started_at_ns = 0;  // since 1970, both
  uint64_t taken_at_ns = 0;
};

template <size_t kCapacity>
void put_version(Line<kCapacity>& line, uint32_t version) {
  line.number(version / 10000).put('.').number(version / 100 % 100).put('.').number(version % 100);
}

// Nine digits of which the last six are 0: milliseconds.
template <size_t kCapacity>
void put_milliseconds(Line<kCapacity>& line, uint64_t ns) {
  const uint64_t milliseconds = ns / 1'000'000 % 1000;
  line.put(static_cast<char>('0' + milliseconds / 100))
      .put(static_cast<char>('0' + milliseconds / 10 % 10))
      .put(static_cast<char>('0' + milliseconds % 10));
}

// 1764493200.125
template <size_t kCapacity>
void put_seconds(Line<kCapacity>& line, uint64_t ns) {
  line.number(ns / 1'000'000'000).put('.');
  put_milliseconds(line, ns);
}

// 2025-11-30T09:00:00.125Z, of times up to the year 9999.
template <size_t kCapacity>
void put_date(Line<kCapacity>& line, uint64_t ns) {
  const uint64_t seconds = ns / 1'000'000'000;
  // Years begin in March, so that the odd day is the last one; eras are 400 years.
  const uint64_t day = seconds / 86400 + 719468;
  const uint64_t era = day / 146097;
  const uint64_t day_of_era = day % 146097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t march = (5 * day_of_year + 2) / 153;
  const uint64_t month = march < 10 ? march + 3 : march - 9;
  const auto two = [&line](uint64_t value, char behind) {
    line.put(static_cast<char>('0' + value / 10)).put(static_cast<char>('0' + value % 10));
    line.put(behind);
  };
  line.number(era * 400 + year_of_era + (month <= 2 ? 1 : 0)).put('-');
  two(month, '-');
  two(day_of_year - (153 * march + 2) / 5 + 1, 'T');
  two(seconds / 3600 % 24, ':');
  two(seconds / 60 % 60, ':');
  two(seconds % 60, '.');
  put_milliseconds(line, ns);
  line.put('Z');
}

// Between a JSON string's quotes.
template <size_t kCapacity>
void put_json(Line<kCapacity>& line, std::string_view text) {
  for_each_character(text, [&line](std::string_view character) {
    const char c = character[0];
    if (c == '"' || c == '\\') {
      line.put('\\').put(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      line.text("\\u00").put(c < 0x10 ? '0' : '1').put("0123456789abcdef"[c & 15]);
    } else {
      line.text(character);
    }
  });
}

}  // namespace spillway::stats
