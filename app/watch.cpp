#include "app/commands.hpp"
#include "app/live_screen.hpp"
#include "app/live_view.hpp"
#include "app/pipeline.hpp"
#include "capture/decoder.hpp"
#include "capture/live.hpp"
#include "metrics/analyzer.hpp"
#include "report/encode.hpp"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

using capture::Error;
using capture::Result;

/// Passes packets on, but not the clock: the analysis of a live capture is that of its recording.
class PacketsOnly final : public capture::PacketSink {
 public:
  explicit PacketsOnly(capture::PacketSink& next) : next_(next) {}
  void on_packet(const capture::Packet& packet) override { next_.on_packet(packet); }
  void finish() override { next_.finish(); }

 private:
  capture::PacketSink& next_;
};

Result<std::uint64_t> amount(const std::string& flag, const std::string& text, std::string_view name) {
  std::uint64_t value = 0;
  const char* begin = text.data() + name.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0)
    return Error{Error::Kind::usage, "read " + flag + " " + text, "there must be a number above 0 after the colon", ""};
  return value;
}

/// Stores the numbers of `flag name:number` words.
Result<void> read_amounts(const std::string& flag, const std::vector<std::string>& words,
                          const std::vector<std::pair<std::string_view, std::function<void(std::uint64_t)>>>& known) {
  for (const auto& word : words) {
    bool found = false;
    for (const auto& [name, store] : known) {
      if (word.rfind(name, 0) != 0) continue;
      const auto value = amount(flag, word, name);
      if (!value) return value.error();
      store(*value);
      found = true;
    }
    if (!found) return Error{Error::Kind::usage, "read " + flag + " " + word, "that is not known", "see callwitness watch --help"};
  }
  return {};
}

capture::Duration whole_seconds(std::uint64_t value) {
  constexpr std::uint64_t decades = 1'000'000'000;   // more would overrun the clock
  return std::chrono::seconds(std::min(value, decades));
}

Result<capture::LiveOptions> live_options(const Options& options) {
  capture::LiveOptions live;
  live.interface = options.interface;
  live.filter = options.filter;
  if (options.snapshot_length > 0) live.snap_length = static_cast<std::uint32_t>(options.snapshot_length);
  if (options.buffer_kib > 0) live.buffer_kib = static_cast<std::uint32_t>(options.buffer_kib);
  live.packet_limit = options.packet_limit;
  live.recording = options.write_file;
  live.user = options.run_as;
  live.application = "callwitness " CALLWITNESS_VERSION;
  const auto stops = read_amounts("-a", options.stop_after,
                                  {{"duration:", [&](std::uint64_t value) { live.duration = whole_seconds(value); }},
                                   {"filesize:", [&](std::uint64_t value) { live.stop_kilobytes = value; }}});
  if (!stops) return stops.error();
  const auto ring = read_amounts("-b", options.ring, {{"filesize:", [&](std::uint64_t value) { live.ring_kilobytes = value; }},
                                                      {"duration:", [&](std::uint64_t value) { live.ring_duration = whole_seconds(value); }},
                                                      {"files:", [&](std::uint64_t value) { live.ring_files = value; }}});
  if (!ring) return ring.error();
  const bool in_a_ring = live.ring_kilobytes != 0 || live.ring_duration;
  if (live.ring_files != 0 && !in_a_ring)
    return Error{Error::Kind::usage, "read -b files", "how large or long each file is to be is missing", "add -b filesize:KB or -b duration:SECONDS"};
  if ((in_a_ring || live.stop_kilobytes != 0) && live.recording.empty())
    return Error{Error::Kind::usage, "limit the recording's size", "there is no recording", "add -w FILE"};
  return live;
}

Result<int> list(const Options& options) {
  const auto interfaces = capture::list_interfaces();
  if (!interfaces) return interfaces.error();
  std::string text;
  int number = 0;
  for (const auto& entry : *interfaces)
    text += fmt::format("{}.{} {}{}{}{}\n", ++number, entry.name, entry.up ? "[up]" : "[down]",
                        entry.loopback ? " [loopback]" : "", entry.addresses.empty() ? "" : " " + entry.addresses,
                        entry.description.empty() ? "" : " (" + report::for_terminal(entry.description) + ")");
  const auto printed = print_text(text, options);
  if (!printed) return printed.error();
  return exit_status::done;
}

std::vector<capture::IpAddress> own_addresses() {
  std::vector<capture::IpAddress> own;
  const auto interfaces = capture::list_interfaces();
  if (!interfaces) return own;
  for (const auto& entry : *interfaces) {
    std::istringstream words(entry.addresses);
    for (std::string word; words >> word;)
      if (const auto address = capture::IpAddress::parse(word)) own.push_back(*address);
  }
  return own;
}

}  // namespace

Result<int> watch(const Options& options) {
  if (options.list_interfaces) return list(options);
  auto live = live_options(options);
  if (!live) return live.error();
  auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  capture::CaptureRecords records;
  capture::Anomalies anomalies;
  metrics::Analyzer analyzer(records);
  LiveView view(analyzer, own_addresses());
  // nDPI's child is forked here, before the interface is open and before forking is given up.
  classify::Classifier classifier(view, pipeline->classifier);
  capture::Decoder decoder(classifier, anomalies);
  PacketsOnly packets(decoder);
  LiveScreen screen(view);
  if (!options.quiet) live->on_second = [&] { screen.show(records.front()); };
  live->tell = [&](const std::string& text) { screen.tell("callwitness: " + report::for_terminal(text)); };
  auto source = capture::open_live(*live, records);
  if (!source) return source.error();
  if (!options.quiet)
    std::cerr << "callwitness: watching " << report::for_terminal(std::string(records.front().file.raw()))
              << "; Ctrl-C ends it and prints the verdict\n";
  // Whoever reads stderr may go away: that ends neither the capture nor its recording.
  std::signal(SIGPIPE, SIG_IGN);
  const auto ran = source.value()->run(packets);
  std::signal(SIGPIPE, SIG_DFL);
  if (!ran) return ran.error();
  auto analysis = analyzer.take_analysis();
  complete(analysis, records, anomalies, *pipeline);
  return print_analysis(analysis, options);
}

}  // namespace callwitness::app
