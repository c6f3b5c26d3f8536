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
  /// A line above the next table.
  void tell(const std::string& line);

 private:
  /// False: nobody takes it now. Whoever stops the terminal (Ctrl-S) or reads no more of the pipe stops no capture.
  static bool print(std::string text);
  std::string state(const capture::CaptureRecord& record, bool no_call) const;

  LiveView& view_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  bool terminal_ = false;
  std::size_t shown_ = 0;        ///< lines of the last table
};

}  // namespace callwitness::app
