// A call's timeline as inline SVG: solid against dashed and dark against light, so that colour carries nothing alone.
#pragma once

#include "report/prose.hpp"
#include "report/timeline.hpp"

#include <string>

namespace callwitness::report {

enum class Detail : bool { everything, bitrate };

/// Bitrate with cap lines and cuts, loss, delay; each with its caption. Panels without a measured value are left out.
std::string chart_of(const metrics::Analysis& analysis, const classify::Call& call, const Prose& prose, Detail detail = Detail::everything);

}  // namespace callwitness::report
