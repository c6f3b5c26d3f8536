// Times as text.
#pragma once

#include "capture/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace callwitness::report {

/// RFC 3339 in UTC with microseconds: "2026-11-23T20:36:00.000001Z".
std::string rfc3339(capture::Time time);
/// The opposite; empty where the text is not exactly of that form or no time that captures can have.
std::optional<capture::Time> parse_rfc3339(std::string_view text);

/// True for "UTC" and the names of the system's zone database.
bool is_time_zone(std::string_view zone);
/// For people: "2026-11-23 21:36:00 +01:00" in a zone for which is_time_zone holds; UTC for any other.
std::string local_time(capture::Time time, std::string_view zone);

}  // namespace callwitness::report
