// The page as PDF, by a Chromium that is installed.
#pragma once

#include "capture/result.hpp"

#include <string>

namespace callwitness::app {

/// Error kind: failed, also where no Chromium is installed.
capture::Result<void> write_pdf(const std::string& html, const std::string& pdf);

}  // namespace callwitness::app
