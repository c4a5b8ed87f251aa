// spillway_info options|classes: the tables as tab-separated lines, for scripts and documentation.
#include <cstdio>
#include <string_view>

#include "alloc/config/option_text.h"
#include "alloc/config/options.h"
#include "alloc/config/size_classes.h"

namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_options() {
  for (const spillway::config::OptionSpec& spec : spillway::config::kOptionSpecs) {
    spillway::Line<500> line;
    line.text(spec.name).put('\t').text(type_name(spec.type)).put('\t');
    print_value(spec, spec.default_value, line);
    line.put('\t');
    print_bounds(spec, line);
    line.put('\t').text(spec.help).put('\n');
    print(line.view());
  }
}

void print_classes() {
  for (size_t index = 1; index <= spillway::config::kHeapClassCount; ++index) {
    spillway::Line<500> line;
    const uint64_t size = spillway::config::kHeapClassSizes[index];
    line.number(index).put('\t').number(size).put('\t').number(size).put('\n');
    print(line.view());
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 2 ? arguments[1] : "";
  if (what == "options") {
    print_options();
  } else if (what == "classes") {
    print_classes();
  } else {
    std::fputs("usage: spillway_info options|classes\n", stderr);
    return 2;
  }
  return 0;
}
