// Tells damage of one input: one line a kind, with the first place and, at the end, how often.
#pragma once

#include "capture/record.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::capture {

class DamageLog {
 public:
  explicit DamageLog(CaptureRecord& record) : record_(&record) {}
  /// `kind` is an anomaly's name (a literal). `text` says what is wrong and what was done or is to be done.
  void damage(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text);
  /// Odd, but nothing is missing: told once, no damage.
  void oddity(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text);
  /// The newest line is of this kind, and another will say it better.
  void withdraw(std::string_view kind);
  void finish();

 private:
  struct Kind {
    std::string_view name;
    std::size_t line;
    std::uint64_t count;
  };
  void tell(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text);
  CaptureRecord* record_;
  std::vector<Kind> kinds_;
};

/// The user's name of a file, fit for one line of a message: control bytes replaced, bounded.
std::string printable_name(std::string_view raw);

}  // namespace callwitness::capture
