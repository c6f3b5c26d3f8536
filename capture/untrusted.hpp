// Text that came off the wire or out of a file. It can be compared and stored, but only the encoders of report/
// (HTML, JSON, CSV, terminal, Markdown) can turn it into output.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace callwitness::capture {

class Untrusted {
 public:
  Untrusted() = default;
  explicit Untrusted(std::string raw) : raw_(std::move(raw)) {}
  /// The bytes as they were. Only encoders and comparisons may ask.
  std::string_view raw() const { return raw_; }
  bool empty() const { return raw_.empty(); }
  auto operator<=>(const Untrusted&) const = default;

 private:
  std::string raw_;
};

}  // namespace callwitness::capture
