#include "capture/result.hpp"

#include <stdexcept>

namespace callwitness::capture {

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.attempted + ": " + error.reason);
}

}  // namespace callwitness::capture
