#include "app/commands.hpp"
#include "report/redact/redactor.hpp"

#include <fmt/format.h>

namespace callwitness::app {

capture::Result<int> redact(const Options& options) {
  const auto key = report::random_redaction_key();
  if (!key) return capture::Error{capture::Error::Kind::failed, "make a redaction key", "the system's random source failed", ""};
  const auto done = report::redact_capture(options.inputs.at(0), options.inputs.at(1), *key);
  if (!done) return done.error();
  const auto& summary = done.value();
  const auto printed = print_text(fmt::format("{} packets written, {} payloads cut, {} names replaced, {} packets emptied\n", summary.packets, summary.payloads_cut,
                                              summary.names_replaced, summary.emptied), options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
