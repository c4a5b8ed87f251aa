// SPDX-License-Identifier: MIT
// The command line of a benchmark, over cxxopts: what the programs have in common stands here once.
// Every program has --json, --smoke and --help; one whose cases have names also --filter and
// --list. What is wrong with it is one line on stderr and exit status 2. Allocates: not for a
// process whose memory is measured.
#pragma once

#include <cstdio>
#include <cxxopts.hpp>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bench {

class CommandLine {
 public:
  // `program` is the name in messages; `about` is the help's second line.
  CommandLine(std::string program, const std::string& about);

  // Before parse(). An option has no value (a flag), a number or a text.
  void add_flag(const char* name, const char* help);
  void add_number(const char* name, const char* help);
  void add_text(const char* name, const char* help, const char* value_name);
  void add_case_choice();                           // --filter and --list, for chosen()
  cxxopts::Options& options() { return options_; }  // for anything else, such as operands

  // Ends the program after --help, or if the command line is wrong.
  void parse(int argc, const char* const* argv);

  // After parse().
  bool flag(const char* name) const;
  bool smoke() const { return flag("smoke"); }
  std::string text(const char* name) const;                // empty: not given
  std::vector<std::string> texts(const char* name) const;  // all that were given, in order
  // Ends the program if what was given is no number from `least` to `most`.
  int number(const char* name, int least, int most, int otherwise) const;

  // Those of `all` whose name, which `name_of` tells, contains --filter. Ends the program if there
  // is none, and, having printed their names, with --list.
  template <class Case, class NameOf>
  std::vector<Case> chosen(std::span<const Case> all, NameOf name_of) const {
    std::vector<Case> found;
    std::vector<std::string> names;
    for (const Case& one : all) {
      if (std::string name = name_of(one); name.find(text("filter")) != std::string::npos) {
        found.push_back(one);
        names.push_back(std::move(name));
      }
    }
    settle_choice(names);
    return found;
  }

  // One line on stderr, exit status 2.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  void settle_choice(const std::vector<std::string>& names) const;

  std::string program_;
  cxxopts::Options options_;
  cxxopts::ParseResult given_;
};

// Where --json sends the results. It is opened at once: a file that can't be written is known
// before anything is measured.
class JsonOutput {
 public:
  explicit JsonOutput(const CommandLine& line);
  ~JsonOutput();
  JsonOutput(const JsonOutput&) = delete;
  JsonOutput& operator=(const JsonOutput&) = delete;

  // False where JSON has stdout to itself.
  bool text_wanted() const { return file_ != stdout; }

  // Calls `writer` if --json was given; ends the program if not all could be written.
  void write(const std::function<void(std::FILE*)>& writer);

 private:
  [[noreturn]] void fail() const;

  const CommandLine& line_;
  std::string name_;
  std::FILE* file_ = nullptr;  // null: no --json
};

}  // namespace bench
