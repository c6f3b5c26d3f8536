#include "app/commands.hpp"
#include "report/evidence/signature.hpp"

namespace callwitness::app {

capture::Result<int> key(const Options& options) {
  const auto line = report::make_key(options.key);
  if (!line) return line.error();
  const auto printed = print_text(options.key + ": secret key, keep it\n" + options.key + ".pub: public key, give it to whoever checks your bundles\n" + line.value() + "\n", options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
