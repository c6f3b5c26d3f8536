// A writer turns one Analysis into text. Writers never measure; only they and app/ print.
#pragma once

#include "metrics/analysis.hpp"

#include <ostream>
#include <string_view>

namespace callwitness::report {

struct WriteOptions {
  std::string_view language = "en";   ///< en, fr, ar
  bool colour = false;
  int width = 100;                    ///< terminal columns
  std::string_view time_zone = "UTC"; ///< --tz, for text and HTML; JSON is always UTC
};

/// Deterministic: the same analysis gives the same bytes.
void write_json(const metrics::Analysis& analysis, std::ostream& out);
void write_ndjson(const metrics::Analysis& analysis, std::ostream& out);
void write_text(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);
/// One row a stream, then one a finding; every field quoted, none can start a formula.
void write_csv(const metrics::Analysis& analysis, std::ostream& out);
void write_markdown(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);
/// One self-contained page: no script, no external resource.
void write_html(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out);

}  // namespace callwitness::report
