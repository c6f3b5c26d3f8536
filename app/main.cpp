#include "app/commands.hpp"
#include "report/encode.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <map>
#include <new>

namespace {

using callwitness::app::Options;
using callwitness::capture::Error;
using callwitness::capture::Result;
namespace exit_status = callwitness::app::exit_status;

int status_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::failed: return exit_status::failed;
    case Error::Kind::usage: return exit_status::usage;
    case Error::Kind::unreadable: return exit_status::unreadable;
    case Error::Kind::damaged: return exit_status::damaged;
    case Error::Kind::verification: return exit_status::verification;
  }
  return exit_status::failed;
}

int tell(const Error& error) {
  const auto safe = [](const std::string& text) { return callwitness::report::for_terminal(text); };
  std::cerr << "callwitness: cannot " << safe(error.attempted) << ": " << safe(error.reason);
  if (!error.remedy.empty()) std::cerr << "; " << safe(error.remedy);
  std::cerr << '\n';
  return status_of(error.kind);
}

/// A standard descriptor that came closed would be the next file's, and the result would go into a recording. Now
/// writing to it fails and is told.
void occupy_standard_descriptors() {
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard)
    if (fcntl(standard, F_GETFD) < 0) static_cast<void>(open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

int run(int argc, char** argv) {
  const auto parsed = callwitness::app::parse_options(argc, argv);
  if (!parsed) return tell(parsed.error());
  if (!parsed.value()) return exit_status::done;
  const Options& options = *parsed.value();
  const std::map<std::string, Result<int> (*)(const Options&)> commands = {
#define COMMAND(name) {#name, callwitness::app::name},
#include "app/commands.def"
#undef COMMAND
  };
  const auto command = commands.find(options.command);
  if (command == commands.end()) return tell({Error::Kind::usage, "run " + options.command, "this build has no such command", ""});
  const auto status = command->second(options);
  return status ? status.value() : tell(status.error());
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::cerr << "callwitness: failed: there is not enough memory; close other programs, or analyse a part (-f, -c)\n";
    return exit_status::failed;
  } catch (const std::exception& error) {
    std::cerr << "callwitness: failed: " << callwitness::report::for_terminal(error.what()) << '\n';
    return exit_status::failed;
  }
}
