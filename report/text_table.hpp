// Columns for a terminal, in any script that is one column a code point.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

std::size_t code_points(std::string_view text);

/// Columns as wide as their longest text; the first `texts` to the left, the others, numbers, to the right. A line each.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t texts, std::string_view indent);

}  // namespace callwitness::report
