// Everything the command line can say. One struct for all subcommands: each reads what concerns it.
#pragma once

#include "capture/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace callwitness::app {

struct Options {
  std::string command;                    ///< "analyze", "watch", … as in commands.def
  std::vector<std::string> inputs;        ///< files, directories, "-"; for redact: IN OUT; for verify: BUNDLE
  std::string filter;                     ///< -f, or the trailing words; BPF
  std::string interface;                  ///< -i; empty: choose
  bool list_interfaces = false;           ///< -D
  std::vector<std::string> read_files;    ///< watch -r
  std::string write_file;                 ///< -w
  int snapshot_length = 0;                ///< -s; 0: whole packets
  int buffer_kib = 0;                     ///< -B; 0: the library's
  std::uint64_t packet_limit = 0;         ///< -c; 0: none
  std::string run_as;                     ///< -Z
  std::vector<std::string> stop_after;    ///< -a duration:S | filesize:KB
  std::vector<std::string> ring;          ///< -b filesize:KB | files:N | duration:S
  std::string format = "text";            ///< --format text|json|ndjson|csv|markdown|html
  std::string output;                     ///< -o; empty: standard output
  std::string language = "en";            ///< --lang
  std::string time_zone = "UTC";          ///< --tz
  std::vector<std::string> local;         ///< --local
  bool no_names = false;                  ///< -n: names are never looked up anyway
  bool quiet = false, verbose = false, exit_verdict = false;
  std::string baseline, suspect;          ///< compare
  bool pdf = false, anonymise = false, each = false;   ///< report
  std::string bundle;                     ///< report --bundle FILE.zip
  std::string key;                        ///< --key: secret key of report, public key of verify, path of `key new`
};

/// Parses the command line. An empty optional: help or the version was asked and printed. Error kind: usage.
capture::Result<std::optional<Options>> parse_options(int argc, char** argv);

}  // namespace callwitness::app
