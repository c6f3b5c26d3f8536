target_link_libraries(callwitness_report PRIVATE nlohmann_json::nlohmann_json OpenSSL::Crypto ZLIB::ZLIB PkgConfig::ZIP)

# Files that become part of the program: report/embedded.hpp.
set(EMBEDDED "")
foreach(file docs/report-schema.json report/languages/en.json report/languages/fr.json report/languages/ar.json
             report/templates/report.css)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  file(READ ${PROJECT_SOURCE_DIR}/${file} content)
  string(APPEND EMBEDDED "  if (path == \"${file}\") return R\"~~(${content})~~\";\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded.cpp @ONLY CONTENT [[
#include "report/embedded.hpp"
namespace callwitness::report {
std::string_view embedded(std::string_view path) {
@EMBEDDED@  return {};
}
}  // namespace callwitness::report
]])
target_sources(callwitness_report PRIVATE ${PROJECT_BINARY_DIR}/embedded.cpp)
