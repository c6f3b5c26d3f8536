// Sentences made from keys and parameters; nothing of them is ever stored.
#pragma once

#include "metrics/analysis.hpp"

#include <string>

namespace callwitness::report {

std::string verdict_sentence(const metrics::Verdict& verdict);
std::string reason_sentence(const metrics::Alternative& alternative);

}  // namespace callwitness::report
