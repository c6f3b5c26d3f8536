#include "app/live_screen.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

namespace callwitness::app {

LiveScreen::LiveScreen(LiveView& view) : view_(view) {
  const char* kind = std::getenv("TERM");
  terminal_ = isatty(STDERR_FILENO) != 0 && kind && std::string_view(kind) != "dumb";
}

void LiveScreen::show(const capture::CaptureRecord& record) {
  const capture::Time now = std::chrono::system_clock::now();
  if (!terminal_) {
    constexpr std::size_t log_width = 132, log_lines = 20;
    std::string text;
    for (const auto& line : view_.lines(now, log_width, log_lines)) text += line + '\n';
    print(std::move(text));
    return;
  }
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  const std::size_t width = known ? size.ws_col - 1u : 79, height = known ? size.ws_row : 24;   // a full line would wrap
  constexpr std::size_t other_lines = 5;                                                        // heading, state, prompt
  const std::size_t rows = std::min<std::size_t>(height, PIPE_BUF / (width + 1));                // what `print` takes at once
  auto lines = view_.lines(now, width, rows > other_lines ? rows - other_lines : 1);
  const bool no_call = lines.empty();
  if (!no_call) {
    const auto heading = LiveView::heading(width);
    lines.insert(lines.begin(), heading.begin(), heading.end());
  }
  lines.push_back(state(record, no_call).substr(0, width));
  std::string text = shown_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", shown_) : "";   // back over the last table
  for (const auto& line : lines) text += line + '\n';
  if (print(std::move(text))) shown_ = lines.size();
}

void LiveScreen::tell(const std::string& line) {
  if (print(line + '\n')) shown_ = 0;
}

bool LiveScreen::print(std::string text) {
  if (text.size() > PIPE_BUF) text.resize(text.rfind('\n', PIPE_BUF - 1) + 1);   // what poll promises room for
  pollfd error_output{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&error_output, 1, 0) != 1 || (error_output.revents & POLLOUT) == 0) return false;
  return ::write(STDERR_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string LiveScreen::state(const capture::CaptureRecord& record, bool no_call) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_).count();
  return fmt::format("{}:{:02} watched, {} packets, {} lost by the capture itself{}", seconds / 60, seconds % 60, record.packets,
                     record.dropped_by_capture.value_or(0), no_call ? "; no call so far" : "");
}

}  // namespace callwitness::app
