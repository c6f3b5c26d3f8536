// Giving up for good what opening an interface needed.
#pragma once

#include "capture/result.hpp"

#include <optional>
#include <string>

namespace callwitness::capture {

struct User {
  unsigned id = 0, group = 0;
  std::string name;
  bool fallback = false;   ///< nobody, as no other was named
};

/// Whom to become: `wanted` (-Z), else who called sudo, else nobody; null when not running as root.
Result<std::optional<User>> unprivileged_user(const std::string& wanted);

/// Becomes `user`, without supplementary groups.
Result<void> become(const User& user);

/// No capability, none to be had again, and no system call that captures, executes, connects or spies.
Result<void> confine();

}  // namespace callwitness::capture
