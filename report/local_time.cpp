// gcc 12 has no std::chrono::locate_zone, so the C library converts, under a TZ that is put back afterwards.
#include "report/timestamps.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>

namespace callwitness::report {
namespace {

class ZoneGuard {
 public:
  explicit ZoneGuard(const std::string& zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", zone.c_str(), 1);
    tzset();
  }
  ~ZoneGuard() {
    if (before_) setenv("TZ", before_->c_str(), 1);
    else unsetenv("TZ");
    tzset();
  }
  ZoneGuard(const ZoneGuard&) = delete;
  ZoneGuard& operator=(const ZoneGuard&) = delete;

 private:
  std::optional<std::string> before_;
};

}  // namespace

bool is_time_zone(std::string_view zone) {
  if (zone == "UTC") return true;
  if (zone.empty() || zone.front() == '/' || zone.find("..") != std::string_view::npos) return false;
  std::error_code failed;
  return std::filesystem::is_regular_file(std::filesystem::path("/usr/share/zoneinfo") / zone, failed);
}

std::string local_time(capture::Time time, std::string_view zone) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const std::time_t seconds = static_cast<std::time_t>(whole);
  std::tm parts{};
  const bool utc = zone == "UTC" || !is_time_zone(zone);
  if (utc) {
    gmtime_r(&seconds, &parts);
  } else {
    const ZoneGuard guard{std::string(zone)};
    localtime_r(&seconds, &parts);
  }
  const auto text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (utc) return text + " UTC";
  const long offset = parts.tm_gmtoff / 60;
  return text + fmt::format(" {}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 60, std::abs(offset) % 60);
}

}  // namespace callwitness::report
