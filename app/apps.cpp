#include "app/commands.hpp"

#include "classify/application.hpp"

#include <fmt/format.h>

namespace callwitness::app {

capture::Result<int> apps(const Options& options) {
  std::string text;
  const auto joined = [](std::string_view list) { return list.empty() ? std::string_view("-") : list; };
  if (options.format == "json") text = "[";
  else text = fmt::format("{:<14} {:<30} {:<24} {:<18} {}\n", "KEY", "NAME", "RECOGNISED BY", "MEASURES", "CHECKED ON");
  bool first = true;
  for (const auto* application : classify::applications()) {
    if (options.format == "json") {
      text += fmt::format("{}\n {{\"key\": \"{}\", \"name\": \"{}\", \"recognised_by\": \"{}\", \"measures\": \"{}\"}}", first ? "" : ",", application->key,
                          application->name, application->recognised_by, application->measures);
    } else {
      text += fmt::format("{:<14} {:<30} {:<24} {:<18} {}\n", application->key, application->name, joined(application->recognised_by),
                          joined(application->measures), joined(application->checked_on));
    }
    first = false;
  }
  if (options.format == "json") text += "\n]\n";
  const auto printed = print_text(text, options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
