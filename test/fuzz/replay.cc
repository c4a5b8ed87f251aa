// SPDX-License-Identifier: MIT
// replay_TARGET FILE-OR-FOLDER...: runs a fuzz target over inputs without libFuzzer, in any build.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::filesystem::path> files_in(const char* name) {
  if (!std::filesystem::is_directory(name)) {
    return {name};
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(name)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Also all its beginnings, where each byte matters.
void run(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> read{std::istreambuf_iterator<char>(stream), {}};
  for (size_t length = 0; length <= read.size(); length += 1 + read.size() / 16) {
    const std::vector<uint8_t> part(read.begin(), read.begin() + static_cast<ptrdiff_t>(length));
    LLVMFuzzerTestOneInput(part.data(), part.size());
  }
  const std::vector<uint8_t> whole(read.begin(), read.end());
  LLVMFuzzerTestOneInput(whole.data(), whole.size());
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& file : files_in(argv[i])) {
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);
      run(file);
      ++count;
    }
  }
  return count != 0 ? 0 : 1;
}
