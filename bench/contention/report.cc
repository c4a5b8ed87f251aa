// SPDX-License-Identifier: MIT
#include "bench/contention/report.h"

#include <cxxabi.h>

#include <cstdlib>
#include <string>

#include "bench/machine.h"

namespace bench::contention {
namespace {

double per_operation(uint64_t count, const Result& result) {
  return static_cast<double>(count) / static_cast<double>(result.operations);
}

double per_million(uint64_t count, const Result& result) {
  return 1e6 * per_operation(count, result);
}

// "FILE+OFFSET _ZN...+DISTANCE" with the function as in the source.
std::string readable(const std::string& place) {
  const std::size_t name = place.find(" _Z");
  const std::size_t distance = place.rfind('+');
  if (name == std::string::npos || distance < name) {
    return place;
  }
  const std::string mangled = place.substr(name + 1, distance - name - 1);
  int status = 0;
  char* const text = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  if (status != 0) {
    return place;
  }
  const std::string whole = place.substr(0, name + 1) + text + place.substr(distance);
  std::free(text);
  return whole;
}

// For a line of the table; JSON has all of it.
std::string shortened(const std::string& place) {
  constexpr std::size_t kMax = 76;
  return place.size() <= kMax ? place : place.substr(0, kMax - 3) + "...";
}

std::string calls_json(const Result& result) {
  std::string text;
  for (const auto& [name, count] : result.calls) {
    text += (text.empty() ? "" : ", ") + json_string(name) + ": " + std::to_string(count);
  }
  return "{" + text + "}";
}

std::string sites_json(const Result& result) {
  std::string text;
  for (const Site& site : result.sites) {
    text += std::string(text.empty() ? "" : ",") +
            "\n     {\"place\": " + json_string(readable(site.place)) +
            ", \"rmw\": " + std::to_string(site.counts.rmw) +
            ", \"transfers\": " + std::to_string(site.counts.transfers) +
            ", \"system_calls\": " + std::to_string(site.counts.system_calls) + "}";
  }
  return "[" + text + "]";
}

void write_one(std::FILE* file, const Result& result) {
  const Counts& counts = result.counts;
  std::fprintf(file,
               "{\"name\": %s, \"threads\": %u, \"operations\": %lu, "
               "\"instructions\": %.3f, \"rmw\": %.1f, \"fences\": %.1f, \"shared_lines\": %lu, "
               "\"transfers\": %.1f, \"system_calls\": %.1f, \"calls\": %s",
               json_string(result.name).c_str(), result.threads, result.operations,
               per_operation(counts.instructions, result), per_million(counts.rmw, result),
               per_million(counts.fences, result), result.shared_lines,
               per_million(counts.transfers, result), per_million(counts.system_calls, result),
               calls_json(result).c_str());
  if (!result.sites.empty()) {
    std::fprintf(file, ",\n   \"sites\": %s", sites_json(result).c_str());
  }
  std::fputs("}", file);
}

}  // namespace

void print_heading(const Facts& facts) {
  print_facts(facts);
  std::printf(
      "\nAn operation is one malloc or one free. Instructions per operation; shared lines\n"
      "as they are; all else per million operations.\n\n"
      "%-32s %8s %9s %7s %9s %9s\n",
      "", "instr.", "rmw", "shared", "transfers", "syscalls");
}

void print_result(const Result& result) {
  const Counts& counts = result.counts;
  std::printf("%-32s %8.1f %9.0f %7lu %9.0f %9.0f\n", result.name.c_str(),
              per_operation(counts.instructions, result), per_million(counts.rmw, result),
              result.shared_lines, per_million(counts.transfers, result),
              per_million(counts.system_calls, result));
  std::string line;
  for (const auto& [name, count] : result.calls) {
    char text[80];
    std::snprintf(text, sizeof text, "  %s %.0f", name.c_str(), per_million(count, result));
    line += text;
  }
  if (!line.empty()) {
    std::printf(" %s\n", line.c_str());
  }
  for (const Site& site : result.sites) {
    std::printf("%9.0f rmw %9.0f transfers %7.0f calls\n    %s\n",
                per_million(site.counts.rmw, result), per_million(site.counts.transfers, result),
                per_million(site.counts.system_calls, result),
                shortened(readable(site.place)).c_str());
  }
  std::fflush(stdout);
}

void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results) {
  write_results(file, facts, results, write_one);
}

}  // namespace bench::contention
