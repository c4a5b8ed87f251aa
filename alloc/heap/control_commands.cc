// SPDX-License-Identifier: MIT
#include "alloc/heap/control_commands.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "alloc/base/text.h"
#include "alloc/config/option_text.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/report.h"
#include "alloc/heap/report_space.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/set_option.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenant_limits.h"
#include "alloc/os/os.h"
#include "alloc/stats/output.h"

namespace spillway::heap {
namespace {

// What a command has to say; false: an error.
struct Answer {
  control::Reply& reply;
  Line<500>& error;

  bool line(Line<500>& text) {
    reply.append(text.end().view());
    return true;
  }
};

bool no_pool(Answer& answer) {
  answer.error.text("the pool is off: every request goes to mimalloc");
  return false;
}

bool run_stats(std::string_view format, Answer& answer) {
  const config::OptionSpec& spec = *config::find_option("stats");
  const auto value = format.empty() ? std::optional<int64_t>(1) : parse_value(spec, format);
  if (!value || static_cast<config::StatsFormat>(*value) == config::StatsFormat::kOff) {
    answer.error.text("stats: ").quoted(format).text(" is not text|json|prometheus");
    return false;
  }
  write_statistics(answer.reply, static_cast<config::StatsFormat>(*value));
  return true;
}

bool run_purge(std::string_view /*none*/, Answer& answer) {
  Line<500> line;
  const uint64_t purged = is_pooling() ? scavenger.purge_everything(heap.engine) : 0;
  mimalloc::collect_soon();
  line.text("purged ").number(purged).text(" bytes of the pool; ");
  line.text("mimalloc returns what it has to spare as its threads allocate");
  return answer.line(line);
}

bool run_flush(std::string_view /*none*/, Answer& answer) {
  core::HeapEngine::Flushed flushed;
  if (!is_pooling()) {
    return no_pool(answer);
  }
  if (!scavenger.flush_caches(heap.engine, flushed)) {
    answer.error.text("another thread has the turn: try again");
    return false;
  }
  Line<500> line;
  line.text("flushed ").number(flushed.bytes).text(" bytes of ").number(flushed.caches);
  line.text(" thread caches; ").number(flushed.left).text(" were in use and left");
  return answer.line(line);
}

bool run_get(std::string_view name, Answer& answer) {
  if (name.empty()) {
    for (const config::OptionSpec& spec : config::kOptionSpecs) {
      Line<500> line;
      options().describe(spec, line);
      answer.line(line);
    }
    return true;
  }
  const config::OptionSpec* const spec = config::find_option(name);
  if (spec == nullptr) {
    config::print_unknown(name, answer.error);
    return false;
  }
  Line<config::Options::kMaxText> line;
  options().print(*spec, line);
  answer.reply.append(line.end().view());
  return true;
}

bool run_set(std::string_view assignment, Answer& answer) {
  std::string_view value = assignment;
  const std::string_view name = take_until(value, '=');
  if (name.size() == assignment.size()) {
    answer.error.text("set: ").quoted(assignment).text(" is not NAME=VALUE");
    return false;
  }
  if (set_option(name, value, answer.error) != SetOutcome::kDone) {
    return false;
  }
  Line<500> line;
  options().describe(*config::find_option(name), line);
  return answer.line(line);
}

bool run_tenant(std::string_view limit, Answer& answer) {
  if (!is_pooling()) {
    answer.error.text("tenants are charged nothing: the pool is off");
    return false;
  }
  switch (set_tenant_limit_as(limit)) {
    case LimitText::kDone:
      break;
    case LimitText::kTooMany:
      answer.error.text("tenant: ").quoted(limit).text(": there are as many tenants as can be");
      return false;
    case LimitText::kWrong:
      answer.error.text("tenant: ").quoted(limit).text(" is not NAME=SIZE, as cache=64M");
      return false;
  }
  Line<500> line;
  line.text("soft limit: ").text(limit);
  return answer.line(line);
}

bool run_profile_start(std::string_view bytes, Answer& answer) {
  const config::OptionSpec& spec = *config::find_option("profile");
  const auto rate = bytes.empty() ? std::optional<int64_t>(kDefaultProfileRate)
                                  : config::parse_value(spec, bytes);
  if (!rate || *rate == config::kWordValue) {
    answer.error.text("profile start: ").quoted(bytes).text(" is not ");
    config::print_bounds(spec, answer.error);
    return false;
  }
  if (!start_profile(static_cast<uint64_t>(*rate))) {
    answer.error.text("no profile: ").text(why_no_profile());
    return false;
  }
  Line<500> line;
  line.text("sampling each ").signed_number(*rate).text(" bytes, on average");
  return answer.line(line);
}

bool run_profile_dump(Answer& answer) {
  if (!heap_profile.exists()) {
    answer.error.text("no profile: start one with 'profile start'");
    return false;
  }
  os::hide_descriptors();  // it reads files
  const bool written =
      write_profile({.write =
                         [](void* owner, std::string_view bytes) {
                           return static_cast<control::Reply*>(owner)->append(bytes);
                         },
                     .owner = &answer.reply});
  if (!written) {
    answer.error.text("no memory for the profile");
  }
  return written;
}

bool run_profile(std::string_view words, Answer& answer) {
  std::string_view rest = words;
  const std::string_view what = take_until(rest, ' ');
  if (what == "start") {
    return run_profile_start(rest, answer);
  }
  if (what == "dump" && rest.empty()) {
    return run_profile_dump(answer);
  }
  if (what != "stop" || !rest.empty()) {
    answer.error.text("profile: ").quoted(words).text(" is not start [BYTES], stop or dump");
    return false;
  }
  stop_profile();
  Line<500> line;
  line.text("sampled ").number(heap_profile.taken()).text(" blocks, of which ");
  line.number(heap_profile.live()).text(" are live");
  return answer.line(line);
}

// THE table of commands.
struct Command {
  std::string_view name;
  std::string_view arguments;  // for the complaint about a command that is none
  bool (*run)(std::string_view arguments, Answer& answer);
};
constexpr Command kCommands[] = {
    {"stats", " [text|json|prometheus]", run_stats},
    {"purge", "", run_purge},
    {"flush", "", run_flush},
    {"get", " [NAME]", run_get},
    {"set", " NAME=VALUE", run_set},
    {"tenant", " NAME=SIZE", run_tenant},
    {"profile", " start [BYTES]|stop|dump", run_profile},
};

}  // namespace

bool run_command(std::string_view request, control::Reply& reply, Line<500>& error) {
  std::string_view arguments = request;
  const std::string_view name = take_until(arguments, ' ');
  Answer answer{reply, error};
  for (const Command& command : kCommands) {
    if (command.name != name) {
      continue;
    }
    if (command.arguments.empty() && !arguments.empty()) {
      error.text(name).text(": takes no argument, got ").quoted(arguments);
      return false;
    }
    return command.run(arguments, answer);
  }
  error.text("unknown command ").quoted(name).text("; there are");
  std::string_view between = " ";
  for (const Command& command : kCommands) {
    error.text(between).text(command.name).text(command.arguments);
    between = ", ";
  }
  return false;
}

void write_statistics(control::Reply& reply, config::StatsFormat format) {
  ReportSpace space;
  if (!space) {
    reply.cut();
    return;
  }
  const auto append = [](void* to, std::string_view text) {
    return static_cast<control::Reply*>(to)->append(text);
  };
  stats::Output output(append, &reply, space.text());
  print_statistics(output, format, space.snapshot(),
                   os::hide_descriptors() ? Effort::kFull : Effort::kMin);
  output.finish();
}

}  // namespace spillway::heap
