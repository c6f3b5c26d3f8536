#include "app/options.hpp"

#include "report/timestamps.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <string_view>

namespace callwitness::app {
namespace {

/// First words of a pcap-filter(7) expression: what tells a trailing filter from a mistyped file name.
constexpr std::array<std::string_view, 31> filter_words = {
    "udp", "tcp", "ip", "ip6", "icmp", "icmp6", "host", "net", "port", "portrange", "src", "dst", "not", "!", "(", "ether",
    "vlan", "mpls", "pppoes", "arp", "proto", "less", "greater", "len", "gateway", "broadcast", "multicast", "sctp", "inbound",
    "outbound", "wlan"};

bool begins_filter(const std::string& word) {
  if (std::filesystem::exists(word)) return false;
  return std::find(filter_words.begin(), filter_words.end(), word) != filter_words.end() ||
         word.find_first_of(" [(!") != std::string::npos;
}

/// `FILE… udp port 5060`: what follows the files is the filter, as in tcpdump.
void split_trailing_filter(Options& options) {
  const auto first = std::find_if(options.inputs.begin(), options.inputs.end(), begins_filter);
  for (auto word = first; word != options.inputs.end(); ++word) {
    if (!options.filter.empty()) options.filter += ' ';
    options.filter += *word;
  }
  options.inputs.erase(first, options.inputs.end());
}

using Words = std::vector<std::string>;

const Words analysis_formats = {"text", "json", "ndjson", "csv", "markdown", "html"};

// Each command offers only what it heeds.
void add_format(CLI::App& command, Options& options, const Words& formats) {
  command.add_option("--format", options.format, "Form of the result")->check(CLI::IsMember(formats));
}

void add_output(CLI::App& command, Options& options) {
  command.add_option("-o,--output", options.output, "Write the result there; it must not exist");
}

void add_prose(CLI::App& command, Options& options) {
  command.add_option("--lang", options.language, "Language of prose")->check(CLI::IsMember({"en", "fr", "ar"}));
  command.add_option("--tz", options.time_zone, "Time zone of text and HTML, e.g. Africa/Casablanca (JSON is always UTC)");
}

void add_quiet(CLI::App& command, Options& options) { command.add_flag("-q,--quiet", options.quiet, "No progress, no hints"); }

/// What prints an analysis.
void add_result(CLI::App& command, Options& options) {
  add_format(command, options, analysis_formats);
  add_output(command, options);
  add_prose(command, options);
  add_quiet(command, options);
  command.add_flag("-v,--verbose", options.verbose, "Text: also the numbers behind each finding and stream");
}

void add_analysis(CLI::App& command, Options& options) {
  command.add_option("-f,--filter", options.filter, "Only packets that match this pcap-filter(7) expression");
  command.add_option("-c", options.packet_limit, "Stop after this many packets")->check(CLI::PositiveNumber);
  command.add_option("--local", options.local, "Address of our end, where it can't be inferred")->allow_extra_args(false);
  command.add_flag("-n", options.no_names, "Names are never looked up; accepted for habit");
  command.add_flag("--exit-verdict", options.exit_verdict, "Exit with 10 for interference, 12 for suspected, 11 for insufficient evidence");
}

void add_watch(CLI::App& app, Options& options) {
  auto* watch = app.add_subcommand("watch", "Capture live during a call; Ctrl-C ends it and prints the verdict");
  add_result(*watch, options);
  add_analysis(*watch, options);
  watch->add_option("-i,--interface", options.interface, "Interface to capture on");
  watch->add_flag("-D,--list-interfaces", options.list_interfaces, "List the interfaces");
  watch->add_option("-w", options.write_file, "Record what is captured, as pcapng");
  watch->add_option("-s,--snapshot-length", options.snapshot_length, "Bytes of each packet to keep")->check(CLI::Range(0, 262144));
  watch->add_option("-B,--buffer-size", options.buffer_kib, "Kernel buffer in KiB")->check(CLI::Range(0, 4 << 20));
  watch->add_option("-Z", options.run_as, "User to become once the interface is open");
  watch->add_option("-a,--autostop", options.stop_after, "duration:SECONDS or filesize:KB")->allow_extra_args(false);
  watch->add_option("-b,--ring-buffer", options.ring, "filesize:KB, duration:SECONDS and files:N")->allow_extra_args(false);
  watch->add_option("-r", options.read_files, "Read this capture instead: the same as analyze")->allow_extra_args(false);
  watch->add_option("bpf", options.inputs, "pcap-filter(7) expression");
}

void add_commands(CLI::App& app, Options& options) {
  auto* analyze = app.add_subcommand("analyze", "Analyse captures: .pcap, .pcapng, also packed with gzip, zstd or xz");
  add_result(*analyze, options);
  add_analysis(*analyze, options);
  analyze->add_option("-r", options.inputs, "A capture, as in tcpdump");
  analyze->add_option("FILE|DIR|-", options.inputs, "Captures; several are one observation. A pcap-filter may follow.");
  add_watch(app, options);
  auto* compare = app.add_subcommand("compare", "Compare two captures: VPN and direct, two networks, two months, two ends");
  add_format(*compare, options, {"text", "json"});
  add_output(*compare, options);
  add_prose(*compare, options);
  add_quiet(*compare, options);
  add_analysis(*compare, options);
  compare->add_option("--baseline", options.baseline, "Capture without the trouble")->required();
  compare->add_option("--suspect", options.suspect, "Capture with it")->required();
  auto* report = app.add_subcommand("report", "Make the evidence bundle, or the story of several analyses");
  add_output(*report, options);
  add_prose(*report, options);
  add_quiet(*report, options);
  add_analysis(*report, options);
  report->add_flag("--pdf", options.pdf, "Also report.pdf, by an installed Chromium");
  report->add_flag("--anonymise,--anonymize", options.anonymise, "Replace addresses and names, consistently");
  report->add_flag("--each", options.each, "Each capture is an observation of its own: two months, two operators, a VPN");
  report->add_option("--bundle", options.bundle, "Also pack the bundle into this zip; without -o only the zip is left");
  report->add_option("--key", options.key, "Sign the bundle with this key (see: callwitness key new)");
  report->add_option("[NAME=]ANALYSIS.json|FILE", options.inputs, "Captures are one observation; with analyses (--format json) or earlier bundles, or --each, every input is one")->required();
  auto* verify = app.add_subcommand("verify", "Check a bundle and recompute its findings from its packets");
  add_output(*verify, options);
  verify->add_option("--key", options.key, "Public key that must have signed it: a file or the key's line");
  verify->add_option("BUNDLE", options.inputs, "The bundle: its folder or its zip")->required()->expected(1);
  auto* redact = app.add_subcommand("redact", "Write an anonymised copy of a capture; says where its analysis differs from the original's");
  add_output(*redact, options);
  redact->add_option("IN OUT", options.inputs, "Capture to read, capture to write")->required()->expected(2);
  auto* key = app.add_subcommand("key", "Keys that sign bundles");
  auto* fresh = key->add_subcommand("new", "Make a key: FILE (secret) and FILE.pub, in minisign's format");
  fresh->add_option("FILE", options.key, "Where to write the secret key")->required();
  key->require_subcommand(1);
  add_result(*app.add_subcommand("demo", "Analyse the bundled capture; needs neither privileges nor a network"), options);
  auto* apps = app.add_subcommand("apps", "List the applications that are recognised");
  add_format(*apps, options, {"text", "json"});
  add_output(*apps, options);
  add_output(*app.add_subcommand("doctor", "Say what this machine can and can't do"), options);
  add_output(*app.add_subcommand("schema", "Print the JSON Schema of the output"), options);
}

}  // namespace

capture::Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Finds out from a packet capture whether calls are interfered with, and says what it can't know.", "callwitness");
  app.set_version_flag("-V,--version", "callwitness " CALLWITNESS_VERSION);
  app.require_subcommand(1);
  add_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked);
    return std::optional<Options>{};
  } catch (const CLI::ParseError& error) {
    return capture::Error{capture::Error::Kind::usage, "read the command line", error.what(), "callwitness COMMAND --help"};
  }
  options.command = app.get_subcommands().front()->get_name();
  if (!options.read_files.empty()) {   // watch -r, as tcpdump -r
    options.command = "analyze";
    options.inputs.insert(options.inputs.begin(), options.read_files.begin(), options.read_files.end());
  }
  if (!report::is_time_zone(options.time_zone))
    return capture::Error{capture::Error::Kind::usage, "read --tz " + options.time_zone, "it is no zone of this system", "e.g. --tz Africa/Casablanca"};
  if (options.command == "analyze" || options.command == "watch") split_trailing_filter(options);
  if (options.command == "watch" && !options.inputs.empty())
    return capture::Error{capture::Error::Kind::usage, "read the filter", "\"" + options.inputs.front() + "\" begins no pcap-filter expression",
                          "to analyse a file: callwitness analyze FILE"};
  return std::optional<Options>(std::move(options));
}

}  // namespace callwitness::app
