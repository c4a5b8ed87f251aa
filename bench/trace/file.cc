// SPDX-License-Identifier: MIT
#include "bench/trace/file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace bench::trace {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw BadTrace(path + ": " + why);
}

}  // namespace

Recording load(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    fail(path, std::strerror(EISDIR));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fail(path, std::strerror(errno));
  }
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) {
    fail(path, "cannot be read");
  }
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  try {
    return decode(bytes);
  } catch (const BadTrace& error) {
    fail(path, error.what());
  }
}

void save(const std::string& path, const Recording& recording) {
  const std::vector<std::uint8_t> bytes = encode(recording);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const std::vector<char> text(bytes.begin(), bytes.end());
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) {
    fail(path, std::string("cannot be written: ") + std::strerror(errno));
  }
}

std::string row_name(const std::string& path) {
  return "trace/" + std::filesystem::path(path).stem().string();
}

}  // namespace bench::trace
