#include "app/commands.hpp"
#include "report/embedded.hpp"

namespace callwitness::app {

capture::Result<int> schema(const Options& options) {
  const auto printed = print_text(std::string(report::embedded("docs/report-schema.json")), options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
