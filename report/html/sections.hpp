// The parts of a report's page, in the order of a sceptic's questions: from "what?" to "how do I check it?".
#pragma once

#include "report/html/page.hpp"

namespace callwitness::report {

void write_verdict(Page& page, const metrics::Analysis& analysis);       ///< the box, understood in five seconds
void write_happened(Page& page, const metrics::Analysis& analysis);      ///< in five lines
void write_calls(Page& page, const metrics::Analysis& analysis);         ///< pictures, and their numbers below
void write_control(Page& page, const metrics::Analysis& analysis);       ///< calls against other traffic
void write_findings(Page& page, const metrics::Analysis& analysis);      ///< each with what else could explain it
void write_attempts(Page& page, const metrics::Analysis& analysis);
void write_repeatability(Page& page, const metrics::Analysis& analysis);
void write_method(Page& page, const metrics::Analysis& analysis);
void write_custody(Page& page, const metrics::Analysis& analysis);       ///< integrity of the capture, chain of custody
void write_privacy(Page& page, const metrics::Analysis& analysis);
void write_reproduce(Page& page, const metrics::Analysis& analysis);
void write_annex(Page& page);

inline constexpr std::size_t most_charts = 30, most_rows = 500;   ///< a page must open on a phone; analysis.json has all

}  // namespace callwitness::report
