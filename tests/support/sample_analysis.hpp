// A constructed analysis with one of everything that writers show, and hostile text wherever an attacker controls it.
#pragma once

#include "metrics/analysis.hpp"

namespace callwitness::test {

/// `hostile`: put into the file name, the comment, the try's target and the codec.
metrics::Analysis sample_analysis(const std::string& hostile);

}  // namespace callwitness::test
