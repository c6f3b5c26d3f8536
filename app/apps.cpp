#include "app/commands.hpp"

#include "classify/application.hpp"

#include <fmt/format.h>
#include <string>
#include <vector>

namespace callwitness::app {
namespace {

constexpr std::string_view legend =
    "\nRecognised by: format (what its packets look like), behaviour (RTP beside its signs), name (DNS, TLS server names and\n"
    "certificates, published addresses), port (weak). Measures: loss (by its own counters), loss by cadence (no counter: by the\n"
    "beat, where it is steady enough), jitter, rtt (round-trip time); of tunnels only how the whole fared.\n"
    "SIP, RTSP, H.323, MGCP and Skinny name their media, which are tied by that. What is enciphered as a whole can't be followed:\n"
    "of TURN in TLS and of a VPN no call is told.\n"
    "docs/applications.md has what was said of each public capture.\n";

/// Our own words only: nothing in them needs an escape.
std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string record(const classify::Application& application) {
  std::vector<std::string> ports, names;
  for (const auto& range : application.ports) {
    const std::string_view protocol = range.protocol == capture::protocol::udp ? "udp" : "tcp";
    ports.push_back(quoted(range.first == range.last ? fmt::format("{} {}", protocol, range.first) : fmt::format("{} {}-{}", protocol, range.first, range.last)));
  }
  for (const auto domain : application.domains) names.push_back(quoted(domain));
  return fmt::format(" {{\"key\": \"{}\", \"name\": \"{}\", \"covers\": \"{}\", \"recognised_by\": \"{}\", \"measures\": \"{}\", \"checked_on\": \"{}\", \"names\": [{}], \"ports\": [{}]}}",
                     application.key, application.name, application.covers, application.recognised_by, application.measures, application.checked_on, fmt::join(names, ", "),
                     fmt::join(ports, ", "));
}

}  // namespace

capture::Result<int> apps(const Options& options) {
  std::string text;
  if (options.format == "json") {
    std::vector<std::string> all;
    for (const auto* application : classify::applications()) all.push_back(record(*application));
    text = fmt::format("[\n{}\n]\n", fmt::join(all, ",\n"));
  } else {
    text = fmt::format("{:<12} {:<18} {:<23} {:<27} {:<20} {}\n", "KEY", "NAME", "OF IT", "RECOGNISED BY", "MEASURES", "CHECKED ON");
    for (const auto* application : classify::applications()) {
      text += fmt::format("{:<12} {:<18} {:<23} {:<27} {:<20} {}\n", application->key, application->name, application->covers, application->recognised_by,
                          application->measures, application->checked_on);
    }
    text += legend;
  }
  const auto printed = print_text(text, options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
