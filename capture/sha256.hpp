// SHA-256 of what is added, as the lower-case hexadecimal text that sha256sum prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace callwitness::capture {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(const std::uint8_t* data, std::size_t size);
  /// Ends the computation; call once.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace callwitness::capture
