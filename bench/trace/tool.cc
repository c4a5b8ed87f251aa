// SPDX-License-Identifier: MIT
// bench_trace: turns the recorder's files into traces, and tells what is in a trace.
#include <cstdio>
#include <cxxopts.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/trace/file.h"
#include "bench/trace/pack.h"
#include "bench/trace/summary.h"

namespace {

using bench::trace::Recording;
using bench::trace::Summary;

// dump: a line per event: thread, call, the block it ends, the one it makes, size, alignment.
constexpr const char* kTasks = "pack RECORDED TRACE | show [--json] TRACE... | dump TRACE";

int fail(const std::string& message) {
  std::cerr << "bench_trace: " << message << "\n";
  return 2;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

void print_text(const std::string& path, const Recording& recording, const Summary& summary) {
  std::printf(
      "%s: %s, %zu events, %u thread%s, %llu blocks, %.0f %% of them (%.0f %% of the bytes) of "
      "4 KiB-1 MiB, peak %.1f MiB\n",
      path.c_str(), recording.program.c_str(), recording.events.size(), recording.threads,
      recording.threads == 1 ? "" : "s", static_cast<unsigned long long>(summary.made),
      share(summary.pooled, summary.made), share(summary.pooled_bytes, summary.bytes),
      static_cast<double>(summary.peak_live) / 1048576);
}

void print_json(const std::string& path, const Recording& recording, const Summary& summary) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  std::cout << "{\"file\": " << bench::json_string(path)
            << ", \"program\": " << bench::json_string(recording.program)
            << ", \"events\": " << recording.events.size() << ", \"threads\": " << recording.threads
            << ", \"blocks\": " << number(summary.made)
            << ", \"pooled\": " << number(summary.pooled)
            << ", \"bytes\": " << number(summary.bytes)
            << ", \"pooled_bytes\": " << number(summary.pooled_bytes)
            << ", \"peak_live\": " << number(summary.peak_live)
            << ", \"left\": " << number(summary.left)
            << ", \"elsewhere\": " << number(summary.elsewhere) << "}\n";
}

int pack(const std::vector<std::string>& files) {
  if (files.size() != 2) {
    return fail("pack takes a recorder's file and the trace to write");
  }
  const bench::trace::Packed packed = bench::trace::pack_file(files[0]);
  bench::trace::save(files[1], packed.recording);
  std::cout << "{\"program\": " << bench::json_string(packed.recording.program)
            << ", \"events\": " << packed.recording.events.size()
            << ", \"threads\": " << packed.threads << ", \"lanes\": " << packed.recording.threads
            << ", \"last_stamp\": " << packed.last_stamp << ", \"unknown\": " << packed.unknown
            << ", \"mended\": " << packed.mended << "}\n";
  return 0;
}

int show(const std::vector<std::string>& files, bool json) {
  if (files.empty()) {
    return fail("show takes one trace or more");
  }
  for (const std::string& path : files) {
    const Recording recording = bench::trace::load(path);
    (json ? print_json : print_text)(path, recording, bench::trace::summarize(recording));
  }
  return 0;
}

void print_event(const bench::trace::Event& event) {
  static constexpr const char* kNames[] = {"malloc", "calloc", "aligned", "realloc", "free"};
  std::printf("%u %s", event.thread, kNames[static_cast<std::size_t>(event.op)]);
  if (bench::trace::ends_block(event.op)) {
    std::printf(" %u", event.ended);
  }
  if (bench::trace::makes_block(event.op)) {
    std::printf("%s%u %llu", event.op == bench::trace::Op::kRealloc ? " -> " : " ", event.made,
                static_cast<unsigned long long>(event.size));
  }
  if (event.op == bench::trace::Op::kAligned) {
    std::printf(" %llu", 1ULL << event.alignment_log2);
  }
  std::putchar('\n');
}

int dump(const std::vector<std::string>& files) {
  if (files.size() != 1) {
    return fail("dump takes one trace");
  }
  const Recording recording = bench::trace::load(files.front());
  for (const bench::trace::Event& event : recording.events) {
    print_event(event);
  }
  return 0;
}

int run(int argc, char** argv) {
  cxxopts::Options options("bench_trace", "Makes traces of the recorder's files, and shows them.");
  options.custom_help(kTasks);
  options.positional_help("");
  options.add_options()("json", "show: a line of JSON per trace")("h,help", "this text")(
      "words", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional("words");
  const auto given = options.parse(argc, argv);
  if (given.count("help") != 0) {
    std::cout << options.help();
    return 0;
  }
  std::vector<std::string> words;
  if (given.count("words") != 0) {
    words = given["words"].as<std::vector<std::string>>();
  }
  const std::string task = words.empty() ? "" : words.front();
  const std::vector<std::string> files(words.begin() + (words.empty() ? 0 : 1), words.end());
  const bool json = given.count("json") != 0;
  if (task == "pack" && !json) {
    return pack(files);
  }
  if (task == "show") {
    return show(files, json);
  }
  if (task == "dump" && !json) {
    return dump(files);
  }
  return fail(std::string("usage: bench_trace ") + kTasks);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
