// The live view on stderr: a terminal shows the latest second in place of the one before, a log gets a line a call and
// second. No colour on either.
#pragma once

#include "app/live_view.hpp"
#include "capture/record.hpp"

#include <chrono>

namespace callwitness::app {

class LiveScreen {
 public:
  explicit LiveScreen(LiveView& view);
  void show(const capture::CaptureRecord& record);
  /// Something else is about to be printed: the next table goes below it.
  void leave() { shown_ = 0; }

 private:
  std::string state(const capture::CaptureRecord& record, bool no_call) const;

  LiveView& view_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  bool terminal_ = false;
  std::size_t shown_ = 0;        ///< lines of the last table
};

}  // namespace callwitness::app
