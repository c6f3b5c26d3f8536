#include "app/live_screen.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace callwitness::app {

LiveScreen::LiveScreen(LiveView& view) : view_(view) {
  const char* kind = std::getenv("TERM");
  terminal_ = isatty(STDERR_FILENO) != 0 && kind && std::string_view(kind) != "dumb";
}

void LiveScreen::show(const capture::CaptureRecord& record) {
  const capture::Time now = std::chrono::system_clock::now();
  if (!terminal_) {
    constexpr std::size_t log_width = 132, log_lines = 20;
    for (const auto& line : view_.lines(now, log_width, log_lines)) std::cerr << line << '\n';
    return;
  }
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  const std::size_t width = known ? size.ws_col - 1u : 79, height = known ? size.ws_row : 24;   // a full line would wrap
  constexpr std::size_t other_lines = 5;                                                        // heading, state, prompt
  auto lines = view_.lines(now, width, height > other_lines ? height - other_lines : 1);
  const bool no_call = lines.empty();
  if (!no_call) {
    const auto heading = LiveView::heading(width);
    lines.insert(lines.begin(), heading.begin(), heading.end());
  }
  lines.push_back(state(record, no_call).substr(0, width));
  std::string text = shown_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", shown_) : "";   // back over the last table
  for (const auto& line : lines) text += line + '\n';
  std::cerr << text;
  shown_ = lines.size();
}

std::string LiveScreen::state(const capture::CaptureRecord& record, bool no_call) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_).count();
  return fmt::format("{}:{:02} watched, {} packets, {} lost by the capture itself{}", seconds / 60, seconds % 60, record.packets,
                     record.dropped_by_capture.value_or(0), no_call ? "; no call so far" : "");
}

}  // namespace callwitness::app
