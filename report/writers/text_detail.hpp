// What --verbose adds to the text: more of each stream and finding, under the names that the JSON gives them.
#pragma once

#include "metrics/analysis.hpp"

#include <string>

namespace callwitness::report {

std::string stream_detail(const metrics::StreamMeasures& measures, const classify::Stream& stream);
std::string finding_detail(const metrics::Finding& finding);   ///< empty: there is nothing more

}  // namespace callwitness::report
