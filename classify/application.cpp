#include "classify/application.hpp"

#include <array>

namespace callwitness::classify {

#define APPLICATION(name) const Application& name();
#include "classify/applications.def"
#undef APPLICATION

std::span<const Application* const> applications() {
#define APPLICATION(name) &name(),
  static const std::array list = {
#include "classify/applications.def"
      static_cast<const Application*>(nullptr)};
#undef APPLICATION
  return std::span(list).first(list.size() - 1);
}

const Application* find_application(std::string_view key) {
  for (const auto* application : applications()) {
    if (application->key == key) return application;
  }
  return nullptr;
}

}  // namespace callwitness::classify
