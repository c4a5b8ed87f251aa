// SPDX-License-Identifier: MIT
#include "alloc/config/options.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace spillway::config {
namespace {

// Loads options from these variables and keeps what was said on stderr meanwhile.
struct Loaded {
  explicit Loaded(std::vector<std::string> variables, bool privileged = false)
      : storage(std::move(variables)) {
    std::vector<char*> environment;
    for (std::string& variable : storage) {
      environment.push_back(variable.data());
    }
    environment.push_back(nullptr);
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    const int kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    options.load(environment.data(), privileged);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    char buffer[4096];
    for (ssize_t length; (length = read(ends[0], buffer, sizeof buffer)) > 0;) {
      said.append(buffer, static_cast<size_t>(length));
    }
    close(ends[0]);
  }
  std::vector<std::string> storage;
  Options options;
  std::string said;
};

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(nothing_set_is_defaults) {
  const Loaded loaded({"HOME=/", "SPILLWAYX=1"});
  BOOST_TEST(loaded.options.flag(Option::enabled));
  BOOST_TEST(loaded.options.value(Option::max_size) == int64_t{kMaxPooledSize});
  BOOST_TEST(loaded.said == "");
}

BOOST_AUTO_TEST_CASE(variables_and_conf_and_who_wins) {
  const Loaded loaded(
      {"SPILLWAY_MAX_SIZE=64K", "SPILLWAY_CONF=max_size:32K,min_size:8192,,stats:json"});
  BOOST_TEST(loaded.options.value(Option::max_size) == 64 << 10);
  BOOST_TEST(loaded.options.value(Option::min_size) == 8192);
  BOOST_TEST((loaded.options.choice<StatsFormat>(Option::stats) == StatsFormat::kJson));
  BOOST_TEST((loaded.options.origin(Option::max_size) == OptionOrigin::kVariable));
  BOOST_TEST((loaded.options.origin(Option::min_size) == OptionOrigin::kConf));
  BOOST_TEST(loaded.said == "");
}

BOOST_AUTO_TEST_CASE(deepbind_is_cleared_unless_kept) {
  BOOST_TEST((Loaded({}).options.choice<Deepbind>(Option::deepbind) == Deepbind::kCleared));
  const Loaded loaded({"SPILLWAY_DEEPBIND=kept"});
  BOOST_TEST((loaded.options.choice<Deepbind>(Option::deepbind) == Deepbind::kKept));
  BOOST_TEST(loaded.said == "");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_answered_with_the_nearest) {
  const Loaded loaded({"SPILLWAY_MAX_SISE=64K"});
  BOOST_TEST(loaded.said == "spillway: unknown option 'MAX_SISE', did you mean 'max_size'?\n");
}

BOOST_AUTO_TEST_CASE(a_bad_value_is_answered_with_the_bounds_and_the_default_stays) {
  const Loaded loaded({"SPILLWAY_MIN_SIZE=100", "SPILLWAY_CONF=on_misuse:shout"});
  BOOST_TEST(loaded.options.value(Option::min_size) == int64_t{kMinPooledSize});
  BOOST_TEST(loaded.said ==
             "spillway: option on_misuse: 'shout' is not abort|report|ignore; using abort\n"
             "spillway: option min_size: '100' is not 4096..1048576; using 4096\n");
}

BOOST_AUTO_TEST_CASE(a_bad_unit_is_answered_with_the_right_one) {
  const Loaded loaded({"SPILLWAY_LIMIT=1GB"});
  BOOST_TEST(loaded.options.value(Option::limit) == kWordValue);
  BOOST_TEST(loaded.said ==
             "spillway: option limit: '1GB' is not 1%..100%, 1..1125899906842624 or none, did "
             "you mean '1G'?; using none\n");
}

BOOST_AUTO_TEST_CASE(a_window_of_nothing_is_refused) {
  const Loaded loaded({"SPILLWAY_MIN_SIZE=64K", "SPILLWAY_MAX_SIZE=8K"});
  BOOST_TEST(loaded.options.value(Option::min_size) == int64_t{kMinPooledSize});
  BOOST_TEST(loaded.options.value(Option::max_size) == int64_t{kMaxPooledSize});
  BOOST_TEST(loaded.said.find("min_size: 65536 is above max_size 8192") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_interval_needs_something_to_write) {
  for (const char* more : {"X=", "SPILLWAY_STATS=json", "SPILLWAY_STATS_FILE=/tmp/file"}) {
    const Loaded loaded({"SPILLWAY_STATS_INTERVAL=15", more});
    BOOST_TEST(loaded.options.value(Option::stats_interval) == kWordValue);
    BOOST_TEST(loaded.said ==
               "spillway: option stats_interval: needs stats and stats_file; using none\n");
  }
  const Loaded loaded(
      {"SPILLWAY_STATS_INTERVAL=15", "SPILLWAY_STATS=json", "SPILLWAY_STATS_FILE=/tmp/file"});
  BOOST_TEST(loaded.options.value(Option::stats_interval) == 15);
  BOOST_TEST(loaded.said == "");
}

BOOST_AUTO_TEST_CASE(a_privileged_process_ignores_the_environment) {
  const Loaded loaded({"SPILLWAY_ENABLED=0", "SPILLWAY_NONSENSE=1"}, true);
  BOOST_TEST(loaded.options.flag(Option::enabled));
  BOOST_TEST(loaded.said == "");
}

BOOST_AUTO_TEST_CASE(paths_are_taken_as_they_are) {
  const Loaded loaded({"SPILLWAY_STATS_FILE=/tmp/a:b=c,%p"});
  BOOST_TEST(loaded.options.text(Option::stats_file) == "/tmp/a:b=c,%p");
}

BOOST_AUTO_TEST_CASE(texts_are_kept_apart_and_whole_or_not_at_all) {
  const std::string longest(1024, 'x');
  const Loaded loaded({"SPILLWAY_PREFILL=64K:1", "SPILLWAY_TENANT_LIMITS=a=1M,b=2M",
                       "SPILLWAY_STATS_FILE=" + longest});
  BOOST_TEST(loaded.options.text(Option::prefill) == "64K:1");
  BOOST_TEST(loaded.options.text(Option::tenant_limits) == "a=1M,b=2M");
  BOOST_TEST(loaded.options.text(Option::stats_file) == longest);
  BOOST_TEST(loaded.said == "");
  const Loaded too_long({"SPILLWAY_TENANT_LIMITS=" + longest + "y"});
  BOOST_TEST(too_long.options.text(Option::tenant_limits) == "");
  BOOST_TEST(too_long.said ==
             "spillway: option tenant_limits: its 1025 characters are more than 1024; it is "
             "ignored\n");
}

BOOST_AUTO_TEST_CASE(conf_without_values_or_separators) {
  const Loaded loaded({"SPILLWAY_CONF=verbose", "SPILLWAY_CONF2"});
  BOOST_TEST(!loaded.options.flag(Option::verbose));
  BOOST_TEST(loaded.said.find("option verbose: '' is not 0..1; using 0") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::config
