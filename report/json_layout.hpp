// Layout of JSON text: what a person scrolls through should not be one number a line.
#pragma once

#include <string>
#include <string_view>

namespace callwitness::report {

/// Indented JSON, its lists of plain values each on one line.
std::string lists_on_one_line(std::string_view indented);

}  // namespace callwitness::report
