// A writer turns one Analysis into text. Writers never measure; only they and app/ print.
#pragma once

#include "metrics/analysis.hpp"

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

/// What stands beside a page in a bundle, and what it was made from.
struct BundleFacts {
  struct Source { std::string sha256; std::uint64_t size_bytes = 0, packets = 0; };
  bool has_packets = true;                       ///< evidence.pcapng; false: drawn from an analysis alone
  bool anonymised = false, is_signed = false;
  std::uint64_t packets = 0, commented = 0, control = 0, left_out = 0;   ///< of evidence.pcapng
  std::uint64_t payloads_cut = 0, names_replaced = 0, emptied = 0;       ///< by anonymising
  std::vector<Source> derived_from;              ///< the captures, where they aren't those of the analysis
  std::vector<std::string> changed;              ///< what the packets kept say differently of the story; should be empty
  std::map<std::uint64_t, std::uint64_t> frames; ///< number of a finding's packet in the capture → in evidence.pcapng
};

struct WriteOptions {
  std::string_view language = "en";   ///< en, fr, ar
  bool colour = false;
  int width = 100;                    ///< terminal columns
  bool verbose = false;               ///< text: more numbers
  std::string_view time_zone = "UTC"; ///< --tz, for text and HTML; JSON is always UTC
  const BundleFacts* bundle = nullptr; ///< HTML: the page stands in a bundle
};

/// Deterministic: the same analysis gives the same bytes.
void write_json(const metrics::Analysis& analysis, std::ostream& out, const BundleFacts* bundle = nullptr);
void write_ndjson(const metrics::Analysis& analysis, std::ostream& out);
void write_text(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);
/// One row a stream, then one a finding; every field quoted, none can start a formula.
void write_csv(const metrics::Analysis& analysis, std::ostream& out);
void write_markdown(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);
/// One self-contained page: no script, no external resource.
void write_html(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);

}  // namespace callwitness::report
