#include "capture/files/damage.hpp"

#include <fmt/format.h>

namespace callwitness::capture {

std::string printable_name(std::string_view raw) {
  constexpr std::size_t longest = 256;
  if (raw == "-") return "standard input";
  std::string text(raw.substr(0, longest));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

void DamageLog::tell(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text) {
  record_->anomalies.count(kind);
  for (Kind& known : kinds_) {
    if (known.name == kind) {
      ++known.count;
      return;
    }
  }
  kinds_.push_back({kind, record_->problems.size(), 1});
  record_->problems.push_back(fmt::format("{}: after packet {}, byte {}: {}", printable_name(record_->file.raw()),
                                          packet, byte, text));
}

void DamageLog::damage(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text) {
  record_->damaged = true;
  tell(kind, packet, byte, text);
}

void DamageLog::oddity(std::string_view kind, std::uint64_t packet, std::uint64_t byte, std::string_view text) {
  tell(kind, packet, byte, text);
}

void DamageLog::withdraw(std::string_view kind) {
  if (kinds_.empty() || kinds_.back().name != kind || kinds_.back().line + 1 != record_->problems.size()) return;
  record_->problems.pop_back();
  kinds_.pop_back();
}

void DamageLog::finish() {
  for (const Kind& kind : kinds_)
    if (kind.count > 1 && kind.line < record_->problems.size())
      record_->problems[kind.line] += fmt::format(" ({} times in all)", kind.count);
  kinds_.clear();
}

}  // namespace callwitness::capture
