// Layout of JSON text: what a person scrolls through should not be one number a line, and what a stranger sends should
// not be nested without end.
#pragma once

#include <string>
#include <string_view>

namespace callwitness::report {

/// Indented JSON, its lists of plain values each on one line.
std::string lists_on_one_line(std::string_view indented);

/// Whether lists and objects stand in each other at most `levels` deep: asked before parsing, for a parsed document is
/// compared, printed and freed by recursion. An analysis has 8 levels.
bool is_shallow(std::string_view json, int levels = 32);

}  // namespace callwitness::report
