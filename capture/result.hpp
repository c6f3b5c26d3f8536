// How the world's failures are returned: open, permission, disk, bad option, damaged input.
#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace callwitness::capture {

/// What went wrong, told so that a user can act on it. `kind` decides the exit status (docs: contract).
struct Error {
  enum class Kind { failed, usage, unreadable, damaged, verification };
  Kind kind = Kind::failed;
  std::string attempted;  ///< what was attempted, on what: "open /tmp/a.pcap"
  std::string reason;     ///< why it failed
  std::string remedy;     ///< what the user can do; may be empty
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Required by boost::system::result for `.value()` on an error; the one catch is in app/main.cpp.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace callwitness::capture
