// Times as text.
#pragma once

#include "capture/time.hpp"

#include <string>

namespace callwitness::report {

/// RFC 3339 in UTC with microseconds: "2026-11-23T20:36:00.000001Z".
std::string rfc3339(capture::Time time);

}  // namespace callwitness::report
