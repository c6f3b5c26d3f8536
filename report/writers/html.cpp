// One self-contained page that survives a hostile reader: no script, no external resource, every text off the wire encoded.
#include "report/html/sections.hpp"

namespace callwitness::report {

void write_html(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out) {
  Page page(options, out);
  page.begin(page.word("title"), analysis.provenance.version);
  write_verdict(page, analysis);
  write_happened(page, analysis);
  write_calls(page, analysis);
  write_findings(page, analysis);
  write_control(page, analysis);
  write_attempts(page, analysis);
  write_repeatability(page, analysis);
  write_method(page, analysis);
  write_custody(page, analysis);
  write_privacy(page, analysis);
  write_reproduce(page, analysis);
  write_annex(page);
  page.end();
}

}  // namespace callwitness::report
