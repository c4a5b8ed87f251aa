// SPDX-License-Identifier: MIT
#include "bench/trace/recorder/settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bench/trace/raw.h"

namespace bench::trace {
namespace {

char g_folder[3072];
char g_program[256];

// Not getenv(): a shell may bring its own, which allocates.
const char* variable(const char* name) {
  const std::size_t length = std::strlen(name);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
      return *entry + length + 1;
    }
  }
  return nullptr;
}

// nullptr if it is unset, or too long.
const char* copy(const char* name, char* place, std::size_t room) {
  const char* given = variable(name);
  if (given == nullptr || std::strlen(given) >= room) {
    return nullptr;
  }
  return std::strcpy(place, given);
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = variable(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

bool Settings::read() {
  if (environ == nullptr) {
    return false;
  }
  folder = copy(kFolderVariable, g_folder, sizeof g_folder);
  program = copy(kProgramVariable, g_program, sizeof g_program);
  pid = static_cast<pid_t>(number(kPidVariable, 0));
  events = number(kEventsVariable, UINT64_MAX);
  skip = number(kSkipVariable, 0);
  return true;
}

bool Settings::wants_this_process() const {
  return folder != nullptr && (pid == 0 || pid == getpid()) &&
         (program == nullptr || std::strcmp(program, program_invocation_short_name) == 0);
}

}  // namespace bench::trace
