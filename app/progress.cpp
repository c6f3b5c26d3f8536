#include "app/progress.hpp"

#include <unistd.h>

#include <iostream>

namespace callwitness::app {

bool Progress::is_wanted() { return isatty(STDERR_FILENO) != 0; }

void Progress::show() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(500)) return;
  last_ = now;
  shown_ = true;
  std::cerr << "\r" << packets_ / 1000 << " thousand packets read" << std::flush;
}

void Progress::finish() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
  next_.finish();
}

}  // namespace callwitness::app
