// SPDX-License-Identifier: MIT
#include "bench/command_line.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace bench {

CommandLine::CommandLine(std::string program, const std::string& about)
    : program_(std::move(program)), options_(program_, about) {
  options_.set_width(100);
  add_text("json", "the results as JSON too; - writes only JSON, to stdout", "FILE");
  add_flag("smoke", "as short as possible, to see that it runs");
  options_.add_options()("h,help", "print this and do nothing");
}

void CommandLine::add_flag(const char* name, const char* help) {
  options_.add_options()(name, help);
}

void CommandLine::add_number(const char* name, const char* help) { add_text(name, help, "N"); }

void CommandLine::add_text(const char* name, const char* help, const char* value_name) {
  options_.add_options()(name, help, cxxopts::value<std::string>(), value_name);
}

void CommandLine::add_case_choice() {
  add_text("filter", "only the cases whose name contains TEXT", "TEXT");
  add_flag("list", "only print the cases' names");
}

void CommandLine::parse(int argc, const char* const* argv) {
  try {
    given_ = options_.parse(argc, argv);
  } catch (const std::exception& error) {
    fail(std::string(error.what()) + " (see --help)");
  }
  if (flag("help")) {
    std::fputs(options_.help().c_str(), stdout);
    std::exit(0);
  }
  if (!given_.unmatched().empty()) {
    fail("unexpected argument '" + given_.unmatched().front() + "' (see --help)");
  }
}

bool CommandLine::flag(const char* name) const { return given_[name].as<bool>(); }

std::string CommandLine::text(const char* name) const {
  const std::vector<std::string> all = texts(name);
  return all.empty() ? "" : all.back();
}

std::vector<std::string> CommandLine::texts(const char* name) const {
  std::vector<std::string> found;
  for (const cxxopts::KeyValue& one : given_.arguments()) {
    if (one.key() == name) {
      found.push_back(one.value());
    }
  }
  return found;
}

int CommandLine::number(const char* name, int least, int most, int otherwise) const {
  const std::vector<std::string> all = texts(name);
  if (all.empty()) {
    return otherwise;
  }
  const std::string& text = all.back();
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < least || value > most) {
    fail(std::string("--") + name + ": not a number from " + std::to_string(least) + " to " +
         std::to_string(most) + ": '" + text + "'");
  }
  return value;
}

void CommandLine::settle_choice(const std::vector<std::string>& names) const {
  if (names.empty()) {
    fail("no case's name contains '" + text("filter") + "'");
  }
  if (flag("list")) {
    for (const std::string& name : names) {
      std::puts(name.c_str());
    }
    std::exit(0);
  }
}

void CommandLine::fail(const std::string& message) const {
  std::fprintf(stderr, "%s: %s\n", program_.c_str(), message.c_str());
  std::exit(2);
}

JsonOutput::JsonOutput(const CommandLine& line) : line_(line), name_(line.text("json")) {
  if (name_ == "-") {
    file_ = stdout;
  } else if (!name_.empty() && (file_ = std::fopen(name_.c_str(), "w")) == nullptr) {
    fail();
  }
}

JsonOutput::~JsonOutput() {
  if (file_ != nullptr && file_ != stdout) {
    std::fclose(file_);
  }
}

void JsonOutput::write(const std::function<void(std::FILE*)>& writer) {
  if (file_ == nullptr) {
    return;
  }
  writer(file_);
  if (std::fflush(file_) != 0 || std::ferror(file_) != 0) {
    fail();
  }
}

void JsonOutput::fail() const { line_.fail("cannot write " + name_ + ": " + std::strerror(errno)); }

}  // namespace bench
