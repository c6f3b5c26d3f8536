// nDPI itself. Used in the child only.
#pragma once

#include "capture/cursor.hpp"
#include "classify/ndpi/message.hpp"

#include <memory>

namespace callwitness::classify::ndpi {

class Engine {
 public:
  Engine();
  ~Engine();
  bool ok() const;
  /// Writes the lower-case names of all protocols.
  void name_protocols(Shared& shared) const;
  /// Looks at one flow's packets. What it leaves behind in nDPI (its caches between flows) is cleared: the answer
  /// depends on nothing else.
  WireAnswer ask(std::uint32_t job, capture::Bytes packets);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::classify::ndpi
