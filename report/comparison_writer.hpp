// Writers of a comparison of two analyses.
#pragma once

#include "metrics/compare.hpp"
#include "report/writer.hpp"

#include <ostream>
#include <string>

namespace callwitness::report {

std::string comparison_sentence(const metrics::Comparison& comparison);
void write_compare_json(const metrics::Comparison& comparison, std::ostream& out);
void write_compare_text(const metrics::Comparison& comparison, const WriteOptions& options, std::ostream& out);

}  // namespace callwitness::report
