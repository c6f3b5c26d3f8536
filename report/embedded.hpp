// Files that are part of the program: languages, the page's template and style, the JSON Schema (dependencies.cmake).
#pragma once

#include <string_view>

namespace callwitness::report {

/// Content of a file of the source tree that was built in; empty if there is none of that name.
std::string_view embedded(std::string_view path);

}  // namespace callwitness::report
